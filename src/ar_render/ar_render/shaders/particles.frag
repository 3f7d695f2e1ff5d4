in vec2 v_corner;
flat in vec4 v_tint;
flat in vec2 v_kind;
in float v_height;
layout(location = 0) out vec4 picture;

void main() {
    float soft = max(1.0 - dot(v_corner, v_corner), 0.0);
    soft *= soft;
    soft *= mix(1.0, soft, v_kind.y);
    float a = v_tint.a * soft * clamp(v_height + 0.6, 0.0, 1.0);  // no hard line where a puff meets the table
    picture = vec4(mix(v_tint.bgr, vec3(1.0), v_kind.x * soft * soft) * a, a);  // a spark whitens in the middle
}
