"""Malformed files of weights: broken headers, settings and sizes, numbers that are none, pickles with code."""

import io
import json
import pickle
import struct
import zipfile
from typing import Any

from hypothesis import strategies as st

from attack.attack import Attack, Files, Special
from attack.damage import damaged, something_else
from attack.world import World

Header = dict[str, Any]
OURS = "gan_eval"
"""The entry of the metadata with our settings."""


def attacks(world: World) -> st.SearchStrategy[Attack]:
    """Every family of this topic."""
    return st.one_of(_ours(world), _ours(world), _ours(world), _foreign(world), _of_metrics(world))


def _parts(data: bytes) -> tuple[Header, bytes]:
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def _joined(header: Any, body: bytes, *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


JSON_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 3, 10**6, 10**18, 10**400, float("nan"), float("inf"), "", "x", "x" * 5000, "\0", [], [[]],
    {}, {"x": 1}, [10**9] * 4, [-1], [0], [2, 2], "F32", "unet",
)  # fmt: skip


@st.composite
def safetensors(draw: st.DrawFn, good: bytes) -> tuple[str, bytes]:
    """A safetensors file with something wrong, and what."""
    header, body = _parts(good)
    if OURS in header.get("__metadata__", {}) and draw(st.booleans()):  # as an earlier version wrote it: without digest
        ours = json.loads(header["__metadata__"][OURS])
        header["__metadata__"][OURS] = json.dumps({key: ours[key] for key in ours if key not in ("format", "digest")})
    tensors = [name for name in header if name != "__metadata__"]
    name = draw(st.sampled_from(tensors))
    sorts = ["header", "entry", "entry", "numbers", "numbers", "damaged", "body", "else"]
    if OURS in header.get("__metadata__", {}):
        sorts += ["settings"] * 5 + ["metadata"]
    match draw(st.sampled_from(sorts)):
        case "settings":
            ours = json.loads(header["__metadata__"][OURS])
            of_run = draw(st.sampled_from([key for key in ours if key != "settings"] + ["settings"] * 12))
            value = draw(st.sampled_from(JSON_VALUES))
            key = draw(st.sampled_from(sorted(ours["settings"])))
            level = draw(st.integers(0, 6))
            if of_run != "settings" or level == 0:
                changed, what = {**ours, of_run: value}, of_run
            elif level == 1:
                changed, what = {**ours, "settings": {**ours["settings"], "more": value}}, "a setting more"
            else:
                changed, what = {**ours, "settings": {**ours["settings"], key: value}}, key
            header["__metadata__"][OURS] = json.dumps(changed)
            return f"{what} = {str(value)[:20]!r}", _joined(header, body)
        case "metadata":
            value = draw(st.sampled_from(["", "{", "null", "[]", "3", '"x"', "{}", "[" * 100_000, "\ud800"]))
            header["__metadata__"] = {OURS: value} if draw(st.booleans()) else {"other": "x"}
            return f"metadata {value[:8]!r}", _joined(header, body)
        case "entry":
            field = draw(st.sampled_from(["dtype", "shape", "data_offsets", "gone", "more", "twice"]))
            value = draw(st.sampled_from((*JSON_VALUES, [0, 2**63], [8, 0], [0, 0], "F64", "I64", "BOOL", "F8_E4M3")))
            if field == "gone":
                del header[name]
            elif field in ("more", "twice"):
                header[f"{name}_" if field == "more" else "x" * 1000] = header[name]
            else:
                header[name][field] = value
            return f"{field} of a tensor {str(value)[:20]!r}", _joined(header, body)
        case "numbers":
            start, end = header[name]["data_offsets"]
            word = draw(
                st.sampled_from(
                    [b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\xff\xff\xff\xff", b"\1\0\0\0"]
                )
            )
            everywhere = draw(st.booleans())
            if everywhere:
                body = body[:start] + (word * len(body))[: end - start] + body[end:]
            else:
                body = body[:start] + word[: end - start] + body[start + 4 :]
            return f"numbers of {name} {word.hex()}", _joined(header, body)
        case "header":
            way, data = draw(
                st.sampled_from(
                    [
                        ("no JSON", _joined(b"{" * 20, body)),
                        ("no UTF-8", _joined(b"\xff" * 20, body)),
                        ("a list", _joined([], body)),
                        ("empty", _joined({}, body)),
                        ("longer than the file", _joined(header, body, length=10**9)),
                        ("endless", _joined(header, body, length=2**64 - 1)),
                        ("no length", _joined(header, body, length=0)),
                        ("nested", _joined(b"[" * 200_000, body)),
                    ]
                )
            )
            return f"header {way}", data
        case "body":
            return "body", _joined(header, draw(st.sampled_from([b"", body[:-1], body + b"x", bytes(len(body))])))
        case "damaged":
            what, data = draw(damaged(good))
            return f"safetensors {what}", data
        case _:
            return draw(something_else())


class _Code:
    """What a pickle runs when it is read as any pickle is."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self._call


def _evil() -> dict[str, bytes]:
    import os
    import subprocess

    return {
        "os.system": pickle.dumps(_Code(os.system, "touch PWNED")),
        "subprocess": pickle.dumps(_Code(subprocess.check_call, ["touch", "PWNED"])),
        "exec": pickle.dumps(_Code(exec, "open('PWNED', 'w').close()")),
        "open": pickle.dumps({"weight": _Code(open, "PWNED", "w")}),
        "memory": pickle.dumps(_Code(bytearray, 10**12)),
        "number": pickle.dumps(3),
        "dict": pickle.dumps({"state": [1, 2]}),
        "keys": pickle.dumps({1: 2}),
        "nested": b"(" * 100_000 + b".",
        "memo": b"\x80\x04" + b"h\xff" * 10 + b".",
        "long": b"\x80\x04\x8b\xff\xff\xff\x7f.",
    }


@st.composite
def pickled(draw: st.DrawFn, good: bytes) -> tuple[str, bytes]:
    """A `.pth` with something wrong, and what."""
    sort = draw(
        st.sampled_from(["code", "code", "code in a zip", "code in a zip", "member", "damaged", "else", "bomb"])
    )
    evil = _evil()
    name = draw(st.sampled_from(sorted(evil)))
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    main = next(each for each in members if each.endswith("data.pkl"))
    match sort:
        case "code":
            return f"pickle {name}", evil[name]
        case "code in a zip":
            return f"zip with pickle {name}", _zipped({**members, main: evil[name]})
        case "member":
            member = draw(st.sampled_from(sorted(members)))
            what, data = draw(damaged(members[member]) if members[member] else st.just(("more", b"x")))
            gone = draw(st.booleans())
            changed = {each: content for each, content in members.items() if not (gone and each == member)}
            return f"zip, {member} {'gone' if gone else what}", _zipped(changed if gone else {**members, member: data})
        case "bomb":
            return "zip bomb", _zipped({**members, main: bytes(300_000_000)}, squeezed=True)
        case "damaged":
            what, data = draw(damaged(good))
            return f"pth {what}", data
        case _:
            return draw(something_else())


def _zipped(members: dict[str, bytes], *, squeezed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _uses(file: str, world: World) -> list[tuple[tuple[str, ...], Files]]:
    """The commands that read a generator's file."""
    return [
        (("model", "show", file), {}),
        (("generate", file, "--data", "data", "--out", "out"), world.data),
        (("model", "export", file, "--format", "pth", "--out", "out.pth"), {}),
    ]


@st.composite
def _ours(draw: st.DrawFn, world: World) -> Attack:
    """A generator of ours."""
    good = world.run["run/generator.safetensors"]
    assert isinstance(good, bytes)
    what, bad = draw(safetensors(good))
    as_run = draw(st.booleans())
    file = "run/generator.safetensors" if as_run else "net.safetensors"
    command, more = draw(st.sampled_from(_uses("run" if as_run else file, world)))
    files: dict[str, bytes | Special] = {**more, **(world.run if as_run else {}), file: bad}
    if as_run and draw(st.integers(0, 3)) == 0:
        other = draw(st.sampled_from(["run/config.json", "run/training_log.csv"]))
        _, files[other] = draw(something_else())
    return Attack(f"generator, {command[0]}: {what}", command, files, names=(file,))


@st.composite
def _foreign(draw: st.DrawFn, world: World) -> Attack:
    """Another program's generator."""
    good = world.pth["latest_net_G.pth"]
    assert isinstance(good, bytes)
    what, bad = draw(pickled(good))
    command, more = draw(st.sampled_from(_uses("latest_net_G.pth", world)[:2]))
    return Attack(f"pth, {command[0]}: {what}", command, {**more, "latest_net_G.pth": bad}, names=("latest_net_G.pth",))


@st.composite
def _of_metrics(draw: st.DrawFn, world: World) -> Attack:
    """Weights of the networks that metrics need."""
    option, metric = draw(
        st.sampled_from(
            [
                ("--weights", "fid"),
                ("--brisque-weights", "brisque"),
                ("--alexnet-weights", "lpips_alex"),
                ("--vgg16-weights", "lpips_vgg"),
                ("--dists-weights", "dists"),
                ("--segmenter", "pixel_accuracy"),
            ]
        )
    )
    ours, theirs = world.run["run/generator.safetensors"], world.pth["latest_net_G.pth"]
    assert isinstance(ours, bytes)
    assert isinstance(theirs, bytes)
    ending = draw(st.sampled_from([".pth", ".safetensors", ".pt"]))
    what, bad = draw(safetensors(ours) if ending == ".safetensors" else pickled(theirs))
    command = ("metrics", "set", "--metrics", metric, "--out", "out", option, f"given{ending}")
    files = {**world.set, f"given{ending}": bad}
    names = (f"given{ending}|the tables in out have the reasons",)
    return Attack(f"weights of {metric}: {what}", command, files, names=names, keeps=True)
