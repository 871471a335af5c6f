package touchmark

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// RFC 7518, section 3.2: a key at least as long as the hash.
	minSecretBytes = 32
	// RFC 7518, section 3.3; and beyond the other, a signature takes too long to check.
	minRSABits, maxRSABits = 2048, 16384
	// Keys are tried in turn: a token must not make the server try many.
	maxKeysTried = 16
	decoyInfo    = "touchmark decoy secret v1"
)

// The algorithms, by the names that JOSE gives them. A token's alg chooses among the keys that are
// configured, each of which is for one of these.
var methods = map[string]jwt.SigningMethod{
	"HS256": jwt.SigningMethodHS256,
	"RS256": jwt.SigningMethodRS256,
	"ES256": jwt.SigningMethodES256,
	"EdDSA": jwt.SigningMethodEdDSA,
}

// key is one that tokens may be signed with.
type key struct {
	algorithm string
	// id is nil for a key that has none, which goes with every token's kid when no key has that one.
	id       *string
	material any
	// decoy is nil for a public key, which has no decoys, and for another maker's secret.
	decoy []byte
}

type signer int

const (
	signedByNobody signer = iota
	signedByKey
	signedByDecoy
)

// signerOf says which of the key's two signed. golang-jwt compares in constant time, and refuses a
// signature of another length.
func (k *key) signerOf(signed string, signature []byte) signer {
	method := methods[k.algorithm]
	if method.Verify(signed, signature, k.material) == nil {
		return signedByKey
	}
	if k.decoy != nil && method.Verify(signed, signature, k.decoy) == nil {
		return signedByDecoy
	}
	return signedByNobody
}

// candidates are the keys to try for a token of this algorithm and kid. None: no key goes with it.
func candidates(keys []*key, algorithm string, id *string) []*key {
	var named, bare []*key
	for _, one := range keys {
		switch {
		case one.algorithm != algorithm:
		case id == nil || one.id != nil && *one.id == *id:
			named = append(named, one)
		case one.id == nil:
			bare = append(bare, one)
		}
	}
	if len(named) == 0 {
		named = bare
	}
	if len(named) > maxKeysTried {
		named = named[:maxKeysTried]
	}
	return named
}

func hasAlgorithm(keys []*key, algorithm string) bool {
	for _, one := range keys {
		if one.algorithm == algorithm {
			return true
		}
	}
	return false
}

// decoySecret is HKDF-SHA256 (RFC 5869) of a token secret, with no salt and 32 bytes of output: one
// block.
func decoySecret(secret []byte) []byte {
	return hmacSHA256(hmacSHA256(make([]byte, sha256.Size), secret), []byte(decoyInfo+"\x01"))
}

func hmacSHA256(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// jwk has the members of a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037) that matter here.
type jwk struct {
	Type       string   `json:"kty"`
	Algorithm  *string  `json:"alg"`
	ID         *string  `json:"kid"`
	Use        *string  `json:"use"`
	Operations []string `json:"key_ops"`
	Curve      string   `json:"crv"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
}

// readJWK gives nil for a member of a set that is no key for tokens: such a one is passed over.
//
// golang-jwt reads no JWK. The libraries that do refuse a whole set for one key that they do not know,
// or ask more than the contract does, such as a kid, or an x5c that fits.
func readJWK(text []byte) *key {
	var from jwk
	if json.Unmarshal(text, &from) != nil {
		return nil
	}
	if from.Use != nil && *from.Use != "sig" || from.Operations != nil && !contains(from.Operations, "verify") {
		return nil
	}
	found := &key{id: from.ID}
	switch from.Type {
	case "RSA":
		found.algorithm, found.material = "RS256", rsaKey(from)
	case "EC":
		found.algorithm, found.material = "ES256", ecKey(from)
	case "OKP":
		found.algorithm, found.material = "EdDSA", edKey(from)
	}
	if found.material == nil || from.Algorithm != nil && *from.Algorithm != found.algorithm {
		return nil
	}
	return found
}

func contains(list []string, wanted string) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

// These three give nil for what is no such key; nil of their own type would be no nil in an interface.

func rsaKey(from jwk) any {
	n, e := number(from.N), number(from.E)
	if n == nil || e == nil || n.BitLen() < minRSABits || n.BitLen() > maxRSABits {
		return nil
	}
	// FIPS 186-4 and crypto/rsa: odd, from 3 on, and of 31 bits.
	if e.BitLen() < 2 || e.BitLen() > 31 || e.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

func ecKey(from jwk) any {
	curve := elliptic.P256()
	x, y := number(from.X), number(from.Y)
	// A point that is not on the curve would make the arithmetic another one.
	if from.Curve != "P-256" || x == nil || y == nil || !curve.IsOnCurve(x, y) {
		return nil
	}
	return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}
}

func edKey(from jwk) any {
	x, err := base64.RawURLEncoding.DecodeString(from.X)
	if from.Curve != "Ed25519" || err != nil || len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}

// number is nil for an empty text, and for one that is not base64url.
func number(text string) *big.Int {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(bytes) == 0 {
		return nil
	}
	return new(big.Int).SetBytes(bytes)
}
