// One direction of a Gaussian, narrow for the lamp's shadow, wide for closeness; the second turns it into what is left of the
// table's light, as the factor for encoded colours.
in vec2 v_place;
uniform sampler2D source;
uniform vec4 step_;        // narrow and wide step between taps, in texture coordinates
uniform float last;
uniform vec3 lamp_share;   // of the light on the table
uniform vec3 sky_share;
layout(location = 0) out vec4 blurred;

void main() {
    vec2 n = step_.xy, w = step_.zw;
    float lamp = 0.4 * texture(source, v_place).r + 0.3 * (texture(source, v_place + n).r + texture(source, v_place - n).r);
    float close = 0.28 * texture(source, v_place).g
                + 0.24 * (texture(source, v_place + w).g + texture(source, v_place - w).g)
                + 0.12 * (texture(source, v_place + 2.0 * w).g + texture(source, v_place - 2.0 * w).g);
    vec3 left = pow(max(1.0 - lamp_share * lamp - sky_share * close, 0.0), vec3(1.0 / 2.4));
    blurred = last > 0.5 ? vec4(1.0 - left, 1.0) : vec4(lamp, close, 0.0, 1.0);
}
