layout(location = 0) in vec2 corner;
layout(location = 1) in vec4 particle;   // place in map, radius
layout(location = 2) in vec4 tint;       // sRGB, opacity
layout(location = 3) in vec4 kind;       // r: 1 glows, 0 takes the light; g: how much it is squeezed; b: shape; a: turn
out vec2 v_at;                           // in the atlas
flat out vec4 v_tint;
out float v_height;                      // over the table, in radii
out float v_depth;
flat out float v_thick;                  // over how many metres of depth it fades into what is behind it

void main() {
    int shape = int(kind.b * 255.0 + 0.5);
    v_at = (vec2(shape % 4, shape / 4) + 0.5 + 0.5 * vec2(corner.x, -corner.y)) / 4.0;
    // Dust takes the scene's light; a spark is its own.
    vec3 light = pow(min(sky.rgb + 0.6 * sun.rgb, 1.5), vec3(1.0 / 2.4));
    v_tint = vec4(mix(clamp((tint.rgb + 0.055) * light - 0.055, 0.0, 1.0), tint.rgb, kind.r), tint.a);
    vec3 c = to_camera(particle.xyz);
    float a = 6.2831853 * kind.a;
    vec2 flat_corner = vec2(corner.x * (1.0 - kind.g), -corner.y) * particle.w;  // the picture's y goes down
    vec2 turned = vec2(cos(a) * flat_corner.x - sin(a) * flat_corner.y, sin(a) * flat_corner.x + cos(a) * flat_corner.y);
    c.xy += turned;
    vec3 up = vec3(dot(view0.xyz, plane.xyz), dot(view1.xyz, plane.xyz), dot(view2.xyz, plane.xyz));
    v_height = (dot(plane.xyz, particle.xyz) - plane.w + dot(up.xy, turned)) / particle.w;
    v_depth = c.z;
    v_thick = particle.w * (shape < 4 ? 1.0 : 0.15);
    gl_Position = project(c);
}
