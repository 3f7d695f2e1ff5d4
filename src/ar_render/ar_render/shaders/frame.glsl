// What one picture is drawn with. Lengths in metres, points in map; pixels as OpenCV counts them, the first row on top.
layout(std140) uniform Frame {
    vec4 lens;            // fx fy cx cy
    vec4 region;          // x0 y0: where the layer begins in the picture; 1: the lens is a fisheye
    vec4 radial;          // k1 k2 k3, and r² beyond which the lens model is not trusted
    vec4 rational;        // k4 k5 k6 (of a fisheye k4), near
    vec4 tangential;      // p1 p2, far, height of the figure's feet zone
    vec4 view0, view1, view2;  // rows of T_camera_map
    vec4 eye;             // camera, and the layer's width
    vec4 plane;           // normal, distance
    vec4 sun_direction;   // towards the light, and the layer's height
    vec4 sun, sky, ground;  // linear light: direct, from above, reflected from below
};

vec3 to_camera(vec3 p) {
    return vec3(dot(view0, vec4(p, 1.0)), dot(view1, vec4(p, 1.0)), dot(view2, vec4(p, 1.0)));
}

// The lens on normalised coordinates, as ar_core.lens has it: equidistant, or plumb bob and rational.
vec2 distort(vec2 p) {
    if (region.z > 0.5) {
        float r = length(p), angle = atan(r), a2 = min(angle * angle, pow(atan(sqrt(radial.w)), 2.0));
        float reach = angle * (1.0 + a2 * (radial.x + a2 * (radial.y + a2 * (radial.z + a2 * rational.x))));
        return r > 1e-6 ? p * (reach / r) : p;
    }
    float r2 = min(dot(p, p), radial.w);
    float k = (1.0 + r2 * (radial.x + r2 * (radial.y + r2 * radial.z)))
            / (1.0 + r2 * (rational.x + r2 * (rational.y + r2 * rational.z)));
    vec2 t = tangential.xy;
    return p * k + vec2(2.0 * t.x * p.x * p.y + t.y * (r2 + 2.0 * p.x * p.x),
                        t.x * (r2 + 2.0 * p.y * p.y) + 2.0 * t.y * p.x * p.y);
}

// Clip position of a point in the camera's frame; the picture's first row is the layer's first row.
vec4 project(vec3 c) {
    vec2 p = c.z > 1e-4 ? distort(c.xy / c.z) : c.xy / 1e-4;
    vec2 texel = lens.xy * p + lens.zw + 0.5 - region.xy;
    vec2 ndc = 2.0 * texel / vec2(eye.w, sun_direction.w) - 1.0;
    float near = rational.w, far = tangential.z;
    return vec4(ndc * c.z, (c.z * (far + near) - 2.0 * far * near) / (far - near), c.z);
}
