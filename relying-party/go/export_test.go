package touchmark

import (
	"encoding/json"
)

// SignatureChecker says whether a token is signed with a key; nil when the key is none for tokens. Most
// of Wycheproof's tokens sign text that is no set of claims, which is found before the signature is
// looked at: so this puts together the parts of the check in another order.
func SignatureChecker(text []byte) func(token string) bool {
	var secret struct{ Kty, Alg, K string }
	var keys []*key
	if json.Unmarshal(text, &secret) == nil && secret.Kty == "oct" && secret.Alg == "HS256" {
		if material, err := base64url.DecodeString(secret.K); err == nil {
			keys = []*key{{algorithm: "HS256", material: material}}
		}
	} else if found := readJWK(text); found != nil {
		keys = []*key{found}
	}
	if keys == nil {
		return nil
	}
	return func(text string) bool {
		first, last, ok := dotsOf(text)
		if !ok {
			return false
		}
		header, err := base64url.DecodeString(text[:first])
		_, err2 := base64url.DecodeString(text[first+1 : last])
		signature, err3 := base64url.DecodeString(text[last+1:])
		found := &token{signed: text[:last], signature: signature}
		if err != nil || err2 != nil || err3 != nil || found.readHeader(string(header), MakerTouchmark) != ReasonOK {
			return false
		}
		from := maker{keys: keys, noKid: true}
		signed, _ := from.signerOf(nil, found)
		return signed == signedByKey
	}
}
