in vec2 v_at;
flat in vec4 v_tint;
in float v_height;
in float v_depth;
flat in float v_thick;
uniform sampler2D shapes;   // red: coverage, green: light
uniform sampler2D behind;   // depth of the figures
layout(location = 0) out vec4 picture;

void main() {
    vec2 s = texture(shapes, v_at).rg;
    float near = rational.w, far = tangential.z;
    float z = 2.0 * texelFetch(behind, ivec2(gl_FragCoord.xy), 0).r - 1.0;
    float free = 2.0 * far * near / (far + near - z * (far - near)) - v_depth;  // metres to what is behind it
    float a = v_tint.a * s.r * clamp(0.5 + free / v_thick, 0.0, 1.0) * clamp(v_height + 0.6, 0.0, 1.0);  // no hard lines
    vec3 c = mix(v_tint.bgr * min(0.5 + s.g, 1.0), vec3(1.0), max(2.0 * s.g - 1.0, 0.0));
    picture = vec4(c * a, a);
}
