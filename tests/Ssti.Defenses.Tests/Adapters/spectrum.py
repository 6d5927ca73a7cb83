#!/usr/bin/env python3
"""Writes spectrum.json beside itself: what numpy and scipy say of a few LoRA updates. Debian: apt-get install python3-scipy (made with scipy 1.10.1)."""
import json, os
import numpy as np
from scipy.stats import entropy, kurtosis

random = np.random.default_rng(7)
cases = []
for name, out, rank, width, scaling, change in [
    ("plain", 5, 3, 7, 0.5, None),
    ("rank 1", 6, 1, 4, 2.0, None),
    ("rank above the width", 3, 5, 4, 1.0, None),
    ("two equal columns of B", 6, 2, 8, 1.0, lambda a, b: b.__setitem__((slice(None), 1), b[:, 0])),
    ("heavy tails", 12, 4, 16, 0.25, lambda a, b: a.__setitem__((0, slice(0, 2)), 40.0)),
]:
    a, b = random.normal(size=(rank, width)), random.normal(size=(out, rank))
    # Read back as the floats that are in the file, so that both sides begin with the same numbers.
    a, b = a.astype(np.float32).astype(np.float64), b.astype(np.float32).astype(np.float64)
    if change:
        change(a, b)
    update = scaling * b @ a
    values = np.linalg.svd(update, compute_uv=False)[: min(rank, out, width)]
    energy = values**2 / np.sum(values**2)
    cases.append({
        "name": name, "scaling": scaling, "a": a.tolist(), "b": b.tolist(),
        "size": float(np.linalg.norm(update) / np.sqrt(out * width)), "leading": float(values[0]), "concentration": float(energy[0]),
        "entropy": float(entropy(energy[energy > 1e-25], base=2)), "kurtosis": float(kurtosis(update, axis=None)), "values": values.tolist(),
    })
with open(os.path.join(os.path.dirname(__file__), "spectrum.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
