in vec2 v_uv;
in vec3 v_light;
in vec3 v_glint;
uniform sampler2D base;   // sRGB bytes
layout(location = 0) out vec4 picture;

void main() {
    // More or less light through the power of the sRGB curve: the same as decode, multiply, encode, but for near black.
    vec3 c = (texture(base, v_uv).rgb + 0.055) * v_light - 0.055;
    picture = vec4(clamp(c + v_glint, 0.0, 1.0).bgr, 1.0);  // as the camera orders its channels
}
