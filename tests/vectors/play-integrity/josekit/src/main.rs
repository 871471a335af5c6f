// Mints token-josekit.txt: `cargo run --release --locked` in this folder.
use josekit::jwe::{self, JweHeader, A256KW};
use josekit::jws::{self, JwsHeader, ES256};
use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let keys: serde_json::Value = serde_json::from_str(&fs::read_to_string("../keys.json")?)?;
    let text = |name: &str| keys[name].as_str().ok_or("a key is missing");
    let payload = fs::read("../payload.json")?;

    let signer = ES256.signer_from_pem(text("signing_key_pem")?)?;
    let signed = jws::serialize_compact(&payload, &JwsHeader::new(), &signer)?;

    let mut header = JweHeader::new();
    header.set_content_encryption("A256GCM");
    let encrypter = A256KW.encrypter_from_bytes(decode(text("decryption_key")?)?)?;
    let token = jwe::serialize_compact(signed.as_bytes(), &header, &encrypter)?;
    fs::write("../token-josekit.txt", token)?;
    Ok(())
}

fn decode(base64: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(openssl::base64::decode_block(base64)?)
}
