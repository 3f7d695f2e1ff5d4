// The proxy, thrown on the plane: once for every place on the lamp, or straight down.
layout(location = 0) in vec3 point;   // on the plane, and height above it
layout(location = 1) in vec2 slope;   // shift per height
uniform vec4 area;                    // centre, half size on the plane
uniform vec2 lamps;                   // how many; height over which closeness fades, 0 for a lamp
out float v_weight;

void main() {
    float height = max(point.z, 0.0);
    bool lamp = lamps.y == 0.0;
    vec2 p = point.xy - (lamp ? slope * height : vec2(0.0));
    v_weight = lamp ? 1.0 / lamps.x : exp(-height / lamps.y);
    // Each throw in front of those before: a texel is darkened once by each.
    gl_Position = vec4((p - area.xy) / area.zw, 0.9 - 1.8 * float(gl_InstanceID) / lamps.x, 1.0);
}
