package touchmark

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The service reads tokens with the same bound. Only a result of attestation has nested claims.
const maxDepth = 16

var errNotJSON = errors.New("not a JSON object")

// readObject is the JSON object (RFC 8259) that a token's part is, as every language of Touchmark
// reads it: UTF-8 without a byte order mark, names unique in every object, numbers within the range of
// a double, no half of a surrogate pair, at most 16 levels.
//
// encoding/json keeps the last of two equal names, replaces halves of surrogate pairs and bytes that
// are no UTF-8, and nests 10,000 levels deep. It says of none of these that it met them, so a token is
// read here. FuzzReadObject holds this reader against it.
func readObject(text string) (map[string]any, error) {
	if !utf8.ValidString(text) {
		return nil, errNotJSON
	}
	r := jsonReader{text: text}
	r.skipSpace()
	if r.peek() != '{' {
		return nil, errNotJSON
	}
	object, ok := r.object()
	if !ok {
		return nil, errNotJSON
	}
	r.skipSpace()
	if r.at != len(text) {
		return nil, errNotJSON
	}
	return object, nil
}

// Its functions read one thing from `at` on, and say whether it was there. White space before it has
// been passed over.
type jsonReader struct {
	text  string
	at    int
	depth int
}

// peek is the next byte, or 0 at the end, which no grammar has either.
func (r *jsonReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *jsonReader) take(expected byte) bool {
	if r.peek() != expected {
		return false
	}
	r.at++
	return true
}

func (r *jsonReader) skipSpace() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *jsonReader) value() (any, bool) {
	switch next := r.peek(); {
	case next == '"':
		return r.string()
	case next == '{':
		return r.object()
	case next == '[':
		return r.array()
	case next == '-' || isDigit(next):
		return r.number()
	case next == 't':
		return true, r.word("true")
	case next == 'f':
		return false, r.word("false")
	case next == 'n':
		return nil, r.word("null")
	}
	return nil, false
}

func (r *jsonReader) word(word string) bool {
	if len(r.text)-r.at < len(word) || r.text[r.at:r.at+len(word)] != word {
		return false
	}
	r.at += len(word)
	return true
}

func (r *jsonReader) object() (map[string]any, bool) {
	r.at++
	r.depth++
	if r.depth > maxDepth {
		return nil, false
	}
	found := make(map[string]any)
	r.skipSpace()
	for !r.take('}') {
		if len(found) > 0 {
			if !r.take(',') {
				return nil, false
			}
			r.skipSpace()
		}
		name, ok := r.string()
		if !ok {
			return nil, false
		}
		// RFC 7519, section 4: names are unique.
		if _, twice := found[name]; twice {
			return nil, false
		}
		r.skipSpace()
		if !r.take(':') {
			return nil, false
		}
		r.skipSpace()
		if found[name], ok = r.value(); !ok {
			return nil, false
		}
		r.skipSpace()
	}
	r.depth--
	return found, true
}

func (r *jsonReader) array() ([]any, bool) {
	r.at++
	r.depth++
	if r.depth > maxDepth {
		return nil, false
	}
	found := []any{}
	r.skipSpace()
	for !r.take(']') {
		if len(found) > 0 {
			if !r.take(',') {
				return nil, false
			}
			r.skipSpace()
		}
		one, ok := r.value()
		if !ok {
			return nil, false
		}
		found = append(found, one)
		r.skipSpace()
	}
	r.depth--
	return found, true
}

func (r *jsonReader) number() (float64, bool) {
	start := r.at
	r.take('-')
	if !r.take('0') && !r.digits() {
		return 0, false
	}
	if r.take('.') && !r.digits() {
		return 0, false
	}
	if next := r.peek(); next == 'e' || next == 'E' {
		r.at++
		if !r.take('-') {
			r.take('+')
		}
		if !r.digits() {
			return 0, false
		}
	}
	number, err := strconv.ParseFloat(r.text[start:r.at], 64)
	return number, err == nil && !math.IsInf(number, 0)
}

// digits takes one digit at least.
func (r *jsonReader) digits() bool {
	start := r.at
	for isDigit(r.peek()) {
		r.at++
	}
	return r.at > start
}

func isDigit(letter byte) bool {
	return letter >= '0' && letter <= '9'
}

func (r *jsonReader) string() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	start := r.at
	var unescaped []byte
	escaped := false
	for r.at < len(r.text) {
		switch letter := r.text[r.at]; {
		case letter == '"':
			plain := r.text[start:r.at]
			r.at++
			if !escaped {
				return plain, true
			}
			return string(append(unescaped, plain...)), true
		case letter < ' ':
			return "", false
		case letter == '\\':
			unescaped = append(unescaped, r.text[start:r.at]...)
			escaped = true
			r.at++
			letter, ok := r.escape()
			if !ok {
				return "", false
			}
			unescaped = utf8.AppendRune(unescaped, letter)
			start = r.at
		default:
			r.at++
		}
	}
	return "", false
}

// escape reads what follows a reverse solidus.
func (r *jsonReader) escape() (rune, bool) {
	letter := r.peek()
	r.at++
	switch letter {
	case '"', '\\', '/':
		return rune(letter), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		unit, ok := r.codeUnit()
		if !ok || !utf16.IsSurrogate(unit) {
			return unit, ok
		}
		if !r.word(`\u`) {
			return 0, false
		}
		other, ok := r.codeUnit()
		pair := utf16.DecodeRune(unit, other)
		return pair, ok && pair != utf8.RuneError
	}
	return 0, false
}

func (r *jsonReader) codeUnit() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	// ParseUint takes neither a sign nor, with a base, an underscore.
	unit, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.at += 4
	return rune(unit), err == nil
}
