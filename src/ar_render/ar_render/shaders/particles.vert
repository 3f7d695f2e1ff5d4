layout(location = 0) in vec2 corner;
layout(location = 1) in vec4 particle;   // place in map, radius
layout(location = 2) in vec4 tint;       // sRGB, opacity
layout(location = 3) in vec4 kind;       // r: 1 glows, 0 is dust; g: sharpness
out vec2 v_corner;
flat out vec4 v_tint;
flat out vec2 v_kind;
out float v_height;

void main() {
    v_corner = corner;
    v_kind = kind.rg;
    // Dust takes the scene's light; a spark is its own.
    vec3 light = pow(min(sky.rgb + 0.6 * sun.rgb, 1.5), vec3(1.0 / 2.4));
    v_tint = vec4(mix(clamp((tint.rgb + 0.055) * light - 0.055, 0.0, 1.0), tint.rgb, kind.r), tint.a);
    vec3 c = to_camera(particle.xyz);
    c.xy += corner * particle.w;
    v_height = (dot(plane.xyz, particle.xyz) - plane.w) / particle.w - corner.y;
    gl_Position = project(c);
}
