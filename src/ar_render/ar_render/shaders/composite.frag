// Camera picture, shadow, character. Alpha 0: not a thing changed here.
in vec2 v_place;
in vec2 v_ray;
uniform sampler2D camera;      // sRGB bytes in the camera's order of channels
uniform sampler2D layer;       // the character, premultiplied
uniform vec2 texel;            // of the layer
uniform mat3 plane_from_ray;   // ray → homogeneous place on the plane; the third is positive in front
#ifdef SHADOW
uniform sampler2D taken;       // what the shadow takes of encoded colours
uniform vec4 area;             // as in shadow.vert
#endif
layout(location = 0) out vec4 picture;

float hash(vec2 p) {
    vec3 q = fract(vec3(p.xyx) * 0.1031 + grain.z);
    q += dot(q, q.yzx + 33.33);
    return fract((q.x + q.y) * q.z);
}

void main() {
    vec3 light = texelFetch(camera, ivec2(gl_FragCoord.xy), 0).bgr;
    float changed = 0.0;
#ifdef SHADOW
    vec3 plane_point = plane_from_ray * vec3(v_ray, 1.0);
    vec2 at = (plane_point.xy / max(plane_point.z, 1e-6) - area.xy) / area.zw * 0.5 + 0.5;
    vec3 dark = plane_point.z > 0.0 ? texture(taken, at).rgb : vec3(0.0);
    light = max((light + 0.055) * (1.0 - dark) - 0.055, 0.3 * light);
    changed = dark.g;
#endif
    vec4 over = texture(layer, (v_place * region.zw * grain.w + grain.y) * texel);
    vec3 drawn = over.rgb / max(over.a, 1e-4);
    drawn += grain.x * 3.46 * (hash(gl_FragCoord.xy + region.xy) - 0.5);
    // Squares stand for linear light where the two meet: exact for all or nothing.
    vec3 result = sqrt(mix(light * light, drawn * drawn, over.a));
    picture = vec4(result.bgr, max(changed, over.a) > 0.002 ? 1.0 : 0.0);
}
