layout(location = 0) in vec4 cell;  // place in the region (0-1), the ray's x and y at z = 1 in the camera's frame
out vec2 v_place;
out vec2 v_ray;
void main() {
    v_place = cell.xy;
    v_ray = cell.zw;
    gl_Position = vec4(cell.xy * 2.0 - 1.0, 0.0, 1.0);
}
