package touchmark

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
)

const (
	maxTokenBytes = 4096
	// From here on a double is not the same number in every language (README.md of the protocol).
	maxTime = 1 << 53
)

// Strict: a part whose unused bits are set would be a second spelling of the same token.
var base64url = base64.RawURLEncoding.Strict()

// token is a compact JWS, taken apart and not yet checked.
type token struct {
	signed    string // header and payload, as they stand
	signature []byte
	algorithm string
	id        *string
	claims    map[string]any
}

// parseToken takes apart what stands in the header of a request. The reason is ReasonOK, or why it is
// no token.
func parseToken(text string, maker Maker) (*token, Reason) {
	if len(text) > maxTokenBytes {
		return nil, ReasonTooLong
	}
	first, last, ok := dotsOf(text)
	if !ok {
		return nil, ReasonNotCompact
	}
	payload, err := base64url.DecodeString(text[first+1 : last])
	signature, err2 := base64url.DecodeString(text[last+1:])
	if err != nil || err2 != nil || len(payload) == 0 {
		return nil, ReasonNotCompact
	}
	found := &token{signed: text[:last], signature: signature}
	if text[:first] == usualHeader {
		found.algorithm = "HS256"
	} else {
		header, err := base64url.DecodeString(text[:first])
		if err != nil || len(header) == 0 {
			return nil, ReasonNotCompact
		}
		if reason := found.readHeader(string(header), maker); reason != ReasonOK {
			return nil, reason
		}
	}
	if found.claims, err = readObject(string(payload)); err != nil {
		return nil, ReasonBadPayload
	}
	return found, ReasonOK
}

// dotsOf finds the two dots. It looks at every letter, since Go's decoder passes over line ends.
func dotsOf(text string) (first, last int, ok bool) {
	dots := 0
	for at := 0; at < len(text); at++ {
		if isBase64URL[text[at]] {
			continue
		}
		if text[at] != '.' || dots == 2 {
			return 0, 0, false
		}
		dots++
		if first, last = last, at; dots == 1 {
			first = at
		}
	}
	return first, last, dots == 2
}

var isBase64URL = func() (table [256]bool) {
	for _, letter := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[letter] = true
	}
	return
}()

// usualHeader is what the service writes, {"alg":"HS256","typ":"JWT"}: most tokens have it to the letter,
// and it need not be read.
const usualHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

func (t *token) readHeader(text string, maker Maker) Reason {
	header, err := readObject(text)
	if err != nil || maker == MakerFirebase && header["typ"] != "JWT" {
		return ReasonBadHeader
	}
	// golang-jwt knows neither crit nor b64, and would check the signature without them (RFC 7515,
	// section 4.1.11, RFC 7797).
	if _, found := header["crit"]; found || header["b64"] == false {
		return ReasonUnknownExtension
	}
	if value, found := header["kid"]; found {
		id, isText := value.(string)
		if !isText {
			return ReasonBadKid
		}
		t.id = &id
	}
	t.algorithm, _ = header["alg"].(string)
	return ReasonOK
}

// device is the claim did; "" when there is none.
func (t *token) device() string {
	did, _ := t.claims["did"].(string)
	return did
}

// judgeTimes gives ReasonOK, or what is wrong with the claims that name a time. golang-jwt would cut off
// a fraction, and take any number for a time.
func (t *token) judgeTimes(now, leeway float64) Reason {
	exp, isTime := timeOf(t.claims["exp"])
	if !isTime {
		return ReasonNoExp
	}
	if now >= exp+leeway {
		return ReasonExpired
	}
	value, found := t.claims["nbf"]
	if !found {
		return ReasonOK
	}
	nbf, isTime := timeOf(value)
	if !isTime {
		return ReasonBadNbf
	}
	if now+leeway < nbf {
		return ReasonNotYetValid
	}
	return ReasonOK
}

// timeOf is a NumericDate (RFC 7519, section 2).
func timeOf(value any) (float64, bool) {
	number, isNumber := value.(float64)
	return number, isNumber && number >= 0 && number < maxTime && !math.IsNaN(number)
}

// isFor says whether the claim aud names an audience (RFC 7519, section 4.1.3).
func (t *token) isFor(audience string) bool {
	list, isList := t.claims["aud"].([]any)
	if !isList {
		return t.claims["aud"] == audience
	}
	for _, one := range list {
		if one == audience {
			return true
		}
	}
	return false
}

// BindingClaim is what the claim pay of a token holds that is bound to a value.
func BindingClaim(value string) string {
	digest := sha256.Sum256([]byte(value))
	return base64.StdEncoding.EncodeToString(digest[:])
}

func fingerprint(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:6])
}

// prefixPattern is what stands before the token. It is compared without regard to case, and a space in
// it stands for one or more spaces and tabs (RFC 9110, sections 11.1 and 11.4).
type prefixPattern struct {
	words []string
	gap   bool // whether white space must follow the last word
}

func newPrefixPattern(prefix string) prefixPattern {
	words := strings.FieldsFunc(prefix, isWhiteSpace)
	return prefixPattern{words, len(words) > 0 && isWhiteSpace(rune(prefix[len(prefix)-1]))}
}

func isWhiteSpace(letter rune) bool { return letter == ' ' || letter == '\t' }

// cut gives what follows the prefix.
func (p prefixPattern) cut(value string) (string, bool) {
	for at, word := range p.words {
		rest := strings.TrimLeft(value, whiteSpace)
		if at > 0 && len(rest) == len(value) {
			return "", false
		}
		if len(rest) < len(word) || !equalFoldASCII(rest[:len(word)], word) {
			return "", false
		}
		value = rest[len(word):]
	}
	rest := strings.TrimLeft(value, whiteSpace)
	return rest, rest != "" && (!p.gap || len(rest) < len(value))
}

// equalFoldASCII is for texts of one length. strings.EqualFold would take the Kelvin sign for a K.
func equalFoldASCII(one, other string) bool {
	for at := range []byte(one) {
		if lower(one[at]) != lower(other[at]) {
			return false
		}
	}
	return true
}

func lower(letter byte) byte {
	if letter >= 'A' && letter <= 'Z' {
		return letter + 'a' - 'A'
	}
	return letter
}
