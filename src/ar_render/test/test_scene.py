import cv2
import numpy as np
import pytest
from glb import box_glb, card_glb, doll_glb

from ar_core.geometry import Intrinsics, Plane, hit_plane, pose, upright_camera
from ar_render.animation import blend
from ar_render.context import Context
from ar_render.gltf import read_glb
from ar_render.layout import MAP_FROM_GLTF, Contents, Figure
from ar_render.light import Light, linear
from ar_render.model import Model
from ar_render.particles import Particles, awakening
from ar_render.plane_view import View
from ar_render.proxy import build_proxy, skin_vertices
from ar_render.scene import Renderer

WIDTH, HEIGHT = 320, 240
CAMERA = Intrinsics.from_field_of_view(WIDTH, HEIGHT)
FISHEYE = Intrinsics(225.0, 227.0, 150.0, 125.0, WIDTH, HEIGHT, (-0.03, 0.01, -0.004, 0.001), fisheye=True)
BENT = Intrinsics(250.0, 255.0, 150.0, 125.0, WIDTH, HEIGHT, (-0.25, 0.08, 0.002, -0.001, 0.0))
POSE = upright_camera(0.3, 30.0)
SHARP = Light(blur=0.0)


def view(intrinsics: Intrinsics = CAMERA) -> View:
    return View(intrinsics, POSE, Plane.ground())


def photograph() -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 220, (12, 16, 3), np.uint8)
    noise = rng.integers(-9, 10, (HEIGHT, WIDTH, 3))
    return np.clip(cv2.resize(coarse, (WIDTH, HEIGHT)).astype(int) + noise, 0, 255).astype(np.uint8)


def standing(x: float, y: float, heading: float = np.pi, z: float = 0.0) -> np.ndarray:
    c, s = np.cos(heading), np.sin(heading)
    return pose(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]), np.array([x, y, z]))


def figure(renderer: Renderer, model: Model, T: np.ndarray, **more: object) -> Figure:
    return Figure(renderer.load(model), T, model.global_matrices(model.rest), **more)  # type: ignore[arg-type]


def doll_contents(renderer: Renderer, time: float = 0.5) -> Contents:
    model = read_glb(doll_glb())
    nodes = model.global_matrices(model.clips["walk"].sample(model.rest, time))
    T = standing(0.45, 0.0)
    return Contents([Figure(renderer.load(model), T, nodes)], awakening(1.5, T, 0.12, 7), Light(grain=0.01, seed=0.3))


def test_what_is_not_drawn_on_keeps_every_byte(context: Context) -> None:
    renderer, before = Renderer(context, WIDTH, HEIGHT), photograph()
    after = renderer.draw(before, view(), doll_contents(renderer))
    changed = (after != before).any(2)
    assert 2000 < changed.sum() < 0.4 * changed.size
    x, y, w, h = cv2.boundingRect(changed.astype(np.uint8))
    assert x > 0
    assert y > 0
    assert x + w < WIDTH
    assert y + h < HEIGHT
    assert np.array_equal(renderer.draw(before, view(), Contents()), before)
    behind = Contents([figure(renderer, read_glb(box_glb()), standing(-2.0, 0.0))])
    assert np.array_equal(renderer.draw(before, view(), behind), before)


def test_the_same_twice_is_the_same_to_the_byte(context: Context) -> None:
    renderer, before = Renderer(context, WIDTH, HEIGHT), photograph()
    first = renderer.draw(before, view(), doll_contents(renderer))
    renderer.draw(before, view(BENT), doll_contents(renderer, 0.1))
    again = Renderer(context, WIDTH, HEIGHT)
    assert np.array_equal(renderer.draw(before, view(), doll_contents(renderer)), first)
    assert np.array_equal(again.draw(before, view(), doll_contents(again)), first)


@pytest.mark.parametrize("intrinsics", [CAMERA, BENT, FISHEYE], ids=["pinhole", "bent lens", "fisheye"])
@pytest.mark.parametrize("time", [0.0, 0.3, 0.7])
def test_nothing_is_missing_outside_of_what_is_said_to_be_touched(
    context: Context, intrinsics: Intrinsics, time: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, before = Renderer(context, WIDTH, HEIGHT), photograph()
    contents = doll_contents(renderer, time)
    quick = renderer.draw(before, view(intrinsics), contents)
    everything = ((0, 0, WIDTH, HEIGHT), np.ones((12, 12), bool))
    monkeypatch.setattr("ar_render.scene.touched", lambda *_: everything)
    slow = renderer.draw(before, view(intrinsics), contents)
    untouched = (quick == before).all(2)
    assert (~untouched).sum() > 2000
    assert np.array_equal(slow[untouched], before[untouched])
    assert np.count_nonzero(cv2.absdiff(quick, slow) > 1) < 100  # places in the layer are rounded otherwise


@pytest.mark.parametrize("intrinsics", [CAMERA, BENT, FISHEYE], ids=["pinhole", "bent lens", "fisheye"])
def test_a_card_covers_the_pixels_that_geometry_says(context: Context, intrinsics: Intrinsics) -> None:
    renderer = Renderer(context, WIDTH, HEIGHT, samples=0)
    model = read_glb(card_glb(np.full((4, 4, 3), 255, np.uint8)))
    T = standing(0.4, 0.05, heading=2.8)
    after = renderer.draw(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8), view(intrinsics), Contents([figure(renderer, model, T)], light=SHARP)
    )
    t = np.linspace(0, 1, 60)[:, None]
    corners = np.array([[-0.05, 0, 0, 1], [0.05, 0, 0, 1], [0.05, 0.1, 0, 1], [-0.05, 0.1, 0, 1]])
    outline = np.concatenate([a + (b - a) * t for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)])
    polygon = intrinsics.project((outline @ (T @ MAP_FROM_GLTF).T)[:, :3], POSE)
    lit = (after > 128).all(2)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH]
    inside = np.array(
        [
            cv2.pointPolygonTest(polygon.astype(np.float32), (float(x), float(y)), True)
            for y, x in zip(yy.ravel(), xx.ravel(), strict=True)
        ]
    )
    inside = inside.reshape(HEIGHT, WIDTH)
    assert lit[inside > 0.5].all()
    assert not lit[inside < -0.5].any()


def test_half_a_pixel_of_blur_moves_nothing(context: Context) -> None:
    renderer, black = Renderer(context, WIDTH, HEIGHT), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    model = read_glb(card_glb(np.full((4, 4, 3), 255, np.uint8)))
    contents = [figure(renderer, model, standing(0.4, 0.0))]
    centres = []
    for blur in (0.0, 0.5):
        after = linear(renderer.draw(black, view(), Contents(contents, light=Light(blur=blur)))[..., 0])
        centres.append(np.array([(after * g).sum() for g in np.mgrid[0:HEIGHT, 0:WIDTH]]) / after.sum())
    assert centres[1] == pytest.approx(centres[0], abs=0.03)


def test_the_vertex_shader_skins_as_numpy_does(context: Context) -> None:
    """A model that the shader bends, and the same model bent beforehand, are the same picture."""
    renderer, before = Renderer(context, WIDTH, HEIGHT), photograph()
    model = read_glb(doll_glb())
    posed = blend(model.clips["walk"].sample(model.rest, 0.2), model.clips["hop"].sample(model.rest, 0.1), 0.5)
    posed.rotation[model.node("head")] = [np.sin(0.3), 0, 0, np.cos(0.3)]
    nodes = model.global_matrices(posed)
    by_shader = renderer.draw(
        before, view(), Contents([Figure(renderer.load(model), standing(0.4, 0), nodes)], light=SHARP)
    )
    p, skin = model.primitives[0], model.skin(nodes)
    bent = skin_vertices(p.positions, p.joints, p.weights, skin)
    turned = skin_vertices(p.positions + p.normals * 1e-3, p.joints, p.weights, skin) - bent
    rigid = type(p)(
        bent.astype(np.float32), (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32), p.uvs, p.colours,
        np.zeros_like(p.joints), np.tile(np.float32([1, 0, 0, 0]), (len(bent), 1)), p.triangles, p.material,
    )  # fmt: skip
    flat = Model(
        model.names,
        model.parents,
        model.levels,
        model.rest,
        model.joints[:1],
        np.eye(4)[None],
        (rigid,),
        model.images,
        {},
    )
    body = renderer.load(flat)
    by_numpy = renderer.draw(
        before, view(), Contents([Figure(body, standing(0.4, 0), np.tile(np.eye(4), (4, 1, 1)))], light=SHARP)
    )
    difference = np.abs(by_shader.astype(int) - by_numpy)
    assert (by_shader != before).any(2).sum() > 1500
    drawn = (by_numpy != before).any(2) & (by_shader != before).any(2)
    assert np.percentile(difference[drawn], 95) <= 2
    assert difference.mean() < 0.2


def test_colours_come_out_as_srgb_says(context: Context) -> None:
    renderer, black = Renderer(context, WIDTH, HEIGHT), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for value in (0.0, 0.002, 0.05, 0.2, 0.5, 0.9, 1.0):
        model = read_glb(box_glb(colour=(value, value / 2, 0.0, 1.0)))
        after = renderer.draw(black, view(), Contents([figure(renderer, model, standing(0.35, 0))], light=SHARP))
        u, v = CAMERA.project(np.array([[0.35, 0, 0.05]]), POSE)[0]
        b, g, r = linear(after[round(v), round(u)])
        level = float(after[round(v), round(u)].max())
        step = float(linear(np.array(level + 0.6)) - linear(np.array(level - 0.6)))  # rounding to bytes
        assert r == pytest.approx(value, abs=step + 8e-4)  # near black a power stands for the curve's straight part
        assert g == pytest.approx(value / 2, abs=step + 8e-4)
        assert b == 0


def test_texture_bytes_come_through_unchanged(context: Context) -> None:
    renderer, black = Renderer(context, WIDTH, HEIGHT), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for colour in ((10, 100, 200), (255, 0, 3), (60, 61, 62)):
        model = read_glb(card_glb(np.full((8, 8, 3), colour, np.uint8)))
        after = renderer.draw(black, view(), Contents([figure(renderer, model, standing(0.35, 0))], light=SHARP))
        u, v = CAMERA.project(np.array([[0.35, 0, 0.05]]), POSE)[0]
        assert after[round(v), round(u)][::-1] == pytest.approx(colour, abs=1.01)


def test_edges_mix_light_not_bytes(context: Context) -> None:
    """Along an antialiased edge of white on black, the mean of the light is the share of the pixels that is covered."""
    renderer, black = Renderer(context, WIDTH, HEIGHT), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    model = read_glb(card_glb(np.full((4, 4, 3), 255, np.uint8)))
    T = standing(0.35, 0.013, heading=np.pi)
    after = linear(renderer.draw(black, view(), Contents([figure(renderer, model, T)], light=SHARP))[..., 0])
    corners = (
        np.array([[-0.05, 0, 0, 1], [0.05, 0, 0, 1], [0.05, 0.1, 0, 1], [-0.05, 0.1, 0, 1]]) @ (T @ MAP_FROM_GLTF).T
    )
    polygon = CAMERA.project(corners[:, :3], POSE)
    area = 0.5 * abs(np.sum(polygon[:, 0] * np.roll(polygon[:, 1], -1) - polygon[:, 1] * np.roll(polygon[:, 0], -1)))
    assert after.sum() == pytest.approx(area, rel=0.01)


def test_the_shadow_lies_where_the_light_throws_it(context: Context) -> None:
    renderer = Renderer(context, WIDTH, HEIGHT)
    white = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    model = read_glb(box_glb((0.03, 0.03, 0.03)))
    high = 0.08
    for direction in ([0.0, 0.5, 0.8], [0.3, -0.4, 0.8]):
        light = Light(np.array(direction) / np.linalg.norm(direction), blur=0.0, size=0.05)
        after = renderer.draw(
            white, view(), Contents([figure(renderer, model, standing(0.45, 0, z=high))], light=light)
        )
        dark = np.clip(200 - after[..., 1].astype(float), 0, None)
        boxed = after.min(2) > 230  # the unlit white box itself
        dark[cv2.dilate(boxed.astype(np.uint8), np.ones((5, 5))) > 0] = 0
        assert dark.max() > 15
        y, x = np.nonzero(dark > 0.5 * dark.max())
        found = hit_plane(np.column_stack([x, y]).astype(float), CAMERA, POSE, Plane.ground()).mean(0)
        thrown = np.array([0.45, 0, 0]) - light.direction * (high + 0.015) / light.direction[2] + [0, 0, high + 0.015]
        assert found[:2] == pytest.approx(thrown[:2], abs=0.008)


def test_where_it_touches_the_table_is_darker(context: Context) -> None:
    renderer, white = Renderer(context, WIDTH, HEIGHT), np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    model = read_glb(box_glb((0.06, 0.06, 0.06)))
    darkness = []
    for z in (0.0, 0.05):
        light = Light(np.array([0.7, 0, 0.7]), blur=0.0)  # from behind: its shadow falls towards the camera
        after = renderer.draw(white, view(), Contents([figure(renderer, model, standing(0.45, 0, z=z))], light=light))
        u, v = CAMERA.project(np.array([[0.45, 0.034, 0.0]]), POSE)[0]  # beside it
        darkness.append(200 - int(after[round(v), round(u), 1]))
    assert darkness[0] > darkness[1] + 5


def test_particles_fade_into_what_is_behind_them(context: Context) -> None:
    """Before the box a puff covers it, behind it nothing is seen of it, half in it half of it is: no hard edge anywhere."""
    renderer, model = Renderer(context, WIDTH, HEIGHT), read_glb(box_glb((0.06, 0.06, 0.06)))
    white, box = np.full((HEIGHT, WIDTH, 3), 200, np.uint8), figure(renderer, model, standing(0.45, 0))
    light = Light(blur=0.0)
    centre, forward = np.array([0.45, 0.0, 0.03]), POSE[:3, :3] @ [0, 0, 1]
    u, v = (round(float(x)) for x in CAMERA.project(centre[None], POSE)[0])
    bare = renderer.draw(white, view(), Contents([box], light=light))[v, u].astype(int)
    shares = []
    for away in np.linspace(-0.08, 0.02, 21):
        record = np.zeros(1, Particles.LAYOUT)
        record["particle"], record["tint"] = [*(centre + away * forward), 0.012], (255, 0, 0, 255)
        drawn = renderer.draw(white, view(), Contents([box], Particles(record), light))[v, u].astype(int)
        shares.append((bare - drawn)[0] / bare[0])  # how much less blue: the puff is red
    assert shares[0] > 0.8
    assert abs(shares[-1]) < 0.02
    assert np.diff(shares).max() < 0.02, "the further back, the less"
    assert ((np.array(shares) > 0.15) & (np.array(shares) < 0.75)).any(), "in between it is half seen"


def test_a_pixel_picks_the_nearest_figure_under_it(context: Context) -> None:
    renderer, model = Renderer(context, WIDTH, HEIGHT), read_glb(doll_glb())
    figures = [figure(renderer, model, standing(x, y)) for x, y in ((0.5, 0.0), (0.42, 0.0), (0.45, 0.12))]
    for wanted, (x, y, z) in ((1, (0.42, 0, 0.06)), (2, (0.45, 0.12, 0.06)), (0, (0.5, 0.0, 0.118))):
        u, v = CAMERA.project(np.array([[x, y, z]]), POSE)[0]
        assert renderer.pick((u, v), view(), figures) == wanted
    assert renderer.pick((3.0, 3.0), view(), figures) == -1


def test_the_proxy_keeps_to_the_shape() -> None:
    model = read_glb(doll_glb())
    proxy, p = build_proxy(model), model.primitives[0]
    assert len(proxy.triangles) < len(p.triangles)
    skin = model.skin(model.global_matrices(model.clips["walk"].sample(model.rest, 0.2)))
    exact = skin_vertices(p.positions, p.joints, p.weights, skin)
    posed = proxy.posed(skin)
    nearest = np.linalg.norm(exact[:, None] - posed[None], axis=2).min(1)
    assert nearest.max() <= 1.8 * proxy.margin
    assert np.linalg.norm(exact[:, None] - posed[None], axis=2).min(0).max() < 1e-6  # its points are points of the mesh


def test_desktop_gl_and_gles_give_the_same_picture(contexts: dict[str, Context]) -> None:
    pictures = []
    for api in ("gl", "gles"):
        contexts[api].make_current()
        renderer = Renderer(contexts[api], WIDTH, HEIGHT)
        pictures.append(renderer.draw(photograph(), view(BENT), doll_contents(renderer)).astype(int))
    difference = np.abs(pictures[0] - pictures[1])
    assert difference.max() <= 3
    assert (difference > 1).mean() < 1e-3


def test_a_picture_of_another_size_is_refused(context: Context) -> None:
    with pytest.raises(ValueError, match="renderer for 320x240 bgr8 was given"):
        Renderer(context, WIDTH, HEIGHT).draw(np.zeros((10, 10, 3), np.uint8), view(), Contents())
