in float v_weight;
layout(location = 0) out vec4 blocked;
void main() { blocked = vec4(v_weight, v_weight, 0.0, 1.0); }
