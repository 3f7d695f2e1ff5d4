"""A path-traced table-top clip with exact ground truth, made by script from own material (Blender's ``bpy``)."""
