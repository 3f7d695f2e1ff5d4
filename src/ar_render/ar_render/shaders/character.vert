// Skinning and light. Triangles are small: light per vertex looks the same as per pixel, at a tenth of the cost.
layout(location = 0) in vec3 position;
layout(location = 1) in vec4 normal;
layout(location = 2) in vec2 uv;
layout(location = 3) in vec4 colour;   // its root
layout(location = 4) in vec4 weights;
layout(location = 5) in uvec4 joints;
layout(std140) uniform Joints { vec4 rows[3 * 256]; };  // of (4, 4) matrices from the mesh to map
uniform vec4 factor;      // base colour, linear
uniform vec4 surface;     // roughness, 1 if unlit, how much of the shading a photographed texture still takes, 1 if photo
uniform vec3 reference;   // the shade that the photographed texture already carries
uniform vec3 gain;        // light now over light when it was photographed
out vec2 v_uv;
out vec3 v_light;         // what an encoded colour is multiplied by
out vec3 v_glint;         // encoded light that is added

// Light that leaves a white matt surface: sky above, table below, one soft lamp.
vec3 shade(vec3 n, float near_table) {
    float up = dot(n, plane.xyz);
    vec3 ambient = mix(ground.rgb * near_table, sky.rgb, smoothstep(-1.0, 1.0, up));
    float lamp = (dot(n, sun_direction.xyz) + 0.25) / 1.25;
    return ambient + sun.rgb * max(lamp, 0.0);
}

void main() {
    vec4 r0 = vec4(0.0), r1 = vec4(0.0), r2 = vec4(0.0);
    for (int i = 0; i < 4; i++) {
        int j = 3 * int(joints[i]);
        r0 += weights[i] * rows[j];
        r1 += weights[i] * rows[j + 1];
        r2 += weights[i] * rows[j + 2];
    }
    vec4 p = vec4(position, 1.0);
    vec3 point = vec3(dot(r0, p), dot(r1, p), dot(r2, p));
    gl_Position = project(to_camera(point));
    v_uv = uv;

    vec3 n = normalize(vec3(dot(r0.xyz, normal.xyz), dot(r1.xyz, normal.xyz), dot(r2.xyz, normal.xyz)));
    vec3 to_eye = normalize(eye.xyz - point);
    float height = dot(plane.xyz, point) - plane.w;
    float open = mix(0.5, 1.0, smoothstep(0.0, tangential.w, height));  // the feet see less of the light
    vec3 light = shade(n, open) * mix(0.7, 1.0, open);
    vec3 photo = gain * mix(vec3(1.0), light / reference, surface.z);
    light = mix(mix(light, photo, surface.w), vec3(1.0), surface.y) * factor.rgb * colour.rgb * colour.rgb;
    v_light = pow(light, vec3(1.0 / 2.4));
    vec3 h = normalize(sun_direction.xyz + to_eye);
    float gloss = 1.0 - surface.x, facing = max(dot(n, to_eye), 0.0);
    float glint = pow(max(dot(n, h), 0.0), mix(8.0, 160.0, gloss * gloss)) * gloss * gloss * 2.0;
    float fresnel = (0.04 + 0.3 * pow(1.0 - facing, 5.0)) * gloss;
    v_glint = 0.7 * (sun.rgb * glint + sky.rgb * fresnel) * (1.0 - surface.y);
}
