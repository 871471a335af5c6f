"""The Objective-C binding, run: compiled for GNUstep's Foundation and linked with the core's
library, it is held to the golden vectors and attests to a service.

Debian's GNUstep stands on GCC's Objective-C runtime, which is older than Apple's: it knows neither
reference counting, nor blocks as objects, nor instance variables that only the implementation
names. `older` moves those into the interface, and copies the one block by a function; nothing else
of the sources is changed. What Apple's frameworks do is played by attester/ios/test/gnustep.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path

import jwt
import pytest

from kit.registered_app import touchmark, touchmark_json
from kit.service import BINARY, Service

ROOT = Path(__file__).resolve().parents[2]
IOS = ROOT / "attester/ios"
PLAYED = IOS / "test/gnustep"
RUNTIME = Path("/usr/lib/gcc/x86_64-linux-gnu/12")
FLAGS = [
    "-x", "objective-c", "-std=gnu11", "-g", "-fobjc-runtime=gcc", "-fblocks", "-fobjc-exceptions",
    "-fconstant-string-class=NSConstantString", "-D_NATIVE_OBJC_EXCEPTIONS", "-DGNUSTEP",
    "-DGNUSTEP_BASE_LIBRARY=1", "-DGNU_RUNTIME=1", "-Wall", "-Wextra", "-Werror",
    "-Wno-objc-missing-super-calls",  # dealloc calls no super where references are counted
    "-Wno-incomplete-implementation",  # of an init that GNUstep does not know to be unavailable
    "-isystem", str(PLAYED / "include"), "-isystem", "/usr/include/GNUstep",
    "-isystem", str(RUNTIME / "include"), "-idirafter", str(IOS / "test/stubs"),
    "-include", str(PLAYED / "apple.h"), "-I", str(ROOT),
]  # fmt: skip
BUILT = BINARY.parent.parent / "lib"
LIBRARIES = [
    f"-L{BUILT}", f"-Wl,-rpath,{BUILT}", f"-L{RUNTIME}",
    # Before GNUstep, whose own Block_copy copies nothing.
    "-lBlocksRuntime", "-ltouchmark", "-lgnustep-base", "-lobjc", "-lcrypto", "-lpthread",
]  # fmt: skip
PROPERTY = re.compile(r"^@property\((?!class)[^)]*\) ([\w ]+?\*?) ?(\w+);", re.MULTILINE)
VARIABLES = re.compile(r"(@implementation (\w+)) \{\n(.*?)\n\}\n", re.DOTALL)


def older(header: str, source: str) -> tuple[str, str]:
    """The interface with the variables that its implementation declares or its properties stand
    for, and the implementation without."""
    for _, name, variables in VARIABLES.findall(source):
        header = re.sub(rf"(@interface {name} : NSObject)\n", rf"\1 {{\n{variables}\n}}\n", header)
    if "@interface TMToken : NSObject\n" in header:
        body = header.split("@interface TMToken : NSObject\n")[1].split("@end")[0]
        stored = "".join(f"  {kind} _{name};\n" for kind, name in PROPERTY.findall(body))
        assert stored.count("\n") == 7
        header = header.replace(
            "@interface TMToken : NSObject\n", f"@interface TMToken : NSObject {{\n{stored}}}\n"
        )
        names = "".join(f"@synthesize {name} = _{name};\n" for _, name in PROPERTY.findall(body))
        source = source.replace("@implementation TMToken\n", f"@implementation TMToken\n{names}")
    source = source.replace("CFBridgingRetain([noted copy])", "Block_copy(noted)")
    source = source.replace("= CFBridgingRelease(context)", "= (id)context")
    source = source.replace("CFBridgingRelease(context)", "Block_release(context)")
    return header, VARIABLES.sub(r"\1\n", source)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objective-c")
    headers = {path.name: path for path in [*IOS.glob("include/*.h"), *IOS.glob("src/*.h")]}
    copies = []
    for source in sorted(IOS.glob("src/*.m")):
        header = headers[source.with_suffix(".h").name]
        interface, implementation = older(header.read_text(), source.read_text())
        if header.name == "Touchmark.h":
            interface = interface.replace(
                "#import <Foundation/Foundation.h>\n",
                "#import <Foundation/Foundation.h>\n@class TMSecureEnclaveKey;\n"
                '#include "attester/include/touchmark.h"\n',
            )
        if header.name == "TMSecureEnclaveKey.h":
            interface = interface.replace(
                "#import <Foundation/Foundation.h>\n",
                "#import <Foundation/Foundation.h>\n#import <Security/Security.h>\n"
                "@class TMAppAttest;\n",
            )
        (folder / header.name).write_text(interface)
        copy = folder / source.name
        copy.write_text(implementation)
        copies.append(str(copy))
    made = folder / "binding"
    done = subprocess.run(
        ["clang-16", *FLAGS, "-I", str(folder), *copies, *map(str, sorted(PLAYED.glob("*.m"))),
         "-o", str(made), *LIBRARIES],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return made


def run(program: Path, home: Path, *arguments: str) -> str:
    environment = {**os.environ, "HOME": str(home), "GNUSTEP_USER_ROOT": str(home)}
    done = subprocess.run(
        [str(program), *arguments], env=environment, check=False, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_golden_vectors(program: Path, tmp_path: Path) -> None:
    said = run(program, tmp_path, "vectors", str(ROOT / "protocol/vectors"))
    assert re.fullmatch(r"\d\d checks, 0 faults\n", said)


def test_it_attests_with_the_enclaves_key(program: Path, tmp_path: Path) -> None:
    """Twice: attested, then asserted. The app is registered nowhere, and nobody signs what App
    Attest gives here, so the tokens are decoys; the rest is as it should be."""
    service = Service(tmp_path / "data", []).start()
    try:
        touchmark(
            service, "api", "add", "api.example.com", "--pin", base64.b64encode(bytes(32)).decode()
        )
        config = tmp_path / "initial.config"
        touchmark(service, "sdk", "config", str(config), "--allow-local")
        decoy = base64.b64decode(touchmark_json(service, "secret", "get")["decoy_secret"])
        seen = service.log.stat().st_size
        first, second, device = run(
            program, tmp_path, "fetch", str(config), "https://api.example.com/"
        ).split()
        for token in (first, second):
            claims = jwt.decode(token, decoy, algorithms=["HS256"])
            assert claims["did"] == device
            assert claims["pay"] == "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="
        events = [one for one in service.events(seen) if one.get("event") == "attest"]
        # App Attest's evidence is read, and asked for its app; no bundle has a name here.
        for event in events:
            assert (
                "hardware.other-app: no iOS app id is registered or set for this bundle"
                in (event["details"])
            )
        assert len(events) == 2
        facts = touchmark_json(service, "device", "show", device)["appraisal"]["facts"]
        told = [facts[name] for name in ("os_version", "manufacturer", "model")]
        assert told == ["17.5.1", "Apple", os.uname().machine]
    finally:
        service.stop()
