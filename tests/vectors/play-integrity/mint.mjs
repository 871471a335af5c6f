// Mints token-jose.txt with npm's jose: node mint.mjs keys.json payload.json
import {readFileSync} from 'node:fs';
import {CompactEncrypt, CompactSign, importPKCS8} from 'jose';

const keys = JSON.parse(readFileSync(process.argv[2]));
const payload = readFileSync(process.argv[3]);
const signingKey = await importPKCS8(keys.signing_key_pem, 'ES256');
const signed = await new CompactSign(payload).setProtectedHeader({alg: 'ES256'}).sign(signingKey);
const token = await new CompactEncrypt(new TextEncoder().encode(signed))
    .setProtectedHeader({alg: 'A256KW', enc: 'A256GCM'})
    .encrypt(Buffer.from(keys.decryption_key, 'base64'));
console.log(token);
