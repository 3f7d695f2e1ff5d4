"""From the cut-out of an object to a living character: closed mesh, limbs, face, skeleton, clips, animated glTF."""
