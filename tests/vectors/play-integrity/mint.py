"""Mints token-joserfc.txt with PyPI's joserfc: python3 mint.py keys.json payload.json"""

import base64
import json
import sys
from pathlib import Path

from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

keys = json.loads(Path(sys.argv[1]).read_text())
payload = Path(sys.argv[2]).read_bytes()
signing_key = ECKey.import_key(keys["signing_key_pem"])
content_key = OctKey.import_key(base64.b64decode(keys["decryption_key"]))
signed = jws.serialize_compact({"alg": "ES256"}, payload, signing_key, algorithms=["ES256"])
print(
    jwe.encrypt_compact(
        {"alg": "A256KW", "enc": "A256GCM"}, signed, content_key, algorithms=["A256KW", "A256GCM"]
    )
)
