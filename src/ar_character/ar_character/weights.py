"""Skin weights of the body: heat that flows from each bone over the sheet (Baran and Popovic, Pinocchio, 2007)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla

from ar_character.inflate import Sheet, laplacian
from ar_character.mesh import Array

HEAT = 0.22


def heat_weights(sheet: Sheet, bones: Array, allowed: Array | None = None) -> Array:
    """(n, b) weights of the sheet's points for bones (b, 2, 2), segments in the sheet's px; rows sum to 1.

    allowed (n, b) bool: which bones may heat a point themselves; what flows there from elsewhere is not asked.
    """
    start, stop = bones[:, 0], bones[:, 1]
    along = stop - start
    offset = sheet.points[:, None] - start
    t = np.clip((offset * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0, 1)
    distance = np.linalg.norm(offset - t[..., None] * along, axis=-1)
    if allowed is not None:
        distance = np.where(allowed, distance, np.inf)
    nearest = distance.argmin(1)
    stiffness, mass = laplacian(sheet.points, sheet.faces)
    heat = mass * HEAT / np.maximum(distance.min(1), 2.0) ** 2
    solve = sla.splu((stiffness + sp.diags(heat)).tocsc(), permc_spec="MMD_AT_PLUS_A").solve
    weights = np.clip(solve(heat[:, None] * (nearest[:, None] == np.arange(len(bones)))), 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True))
