package touchmark

import (
	"encoding/json"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What this reader refuses beside what is no JSON at all, found in another way than it does.
func isOnlyJSON(text string) bool {
	decoder := json.NewDecoder(strings.NewReader(text))
	depth := 0
	type level struct {
		names  map[string]bool
		isName bool
	}
	var levels []level
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		inObject := len(levels) > 0 && levels[len(levels)-1].names != nil
		top := len(levels) - 1
		switch value := token.(type) {
		case json.Delim:
			if value == '{' || value == '[' {
				if inObject {
					levels[top].isName = true
				}
				if depth++; depth > maxDepth {
					return true
				}
				next := level{isName: true}
				if value == '{' {
					next.names = map[string]bool{}
				}
				levels = append(levels, next)
			} else {
				depth--
				levels = levels[:top]
			}
		case string:
			if inObject && levels[top].isName {
				if levels[top].names[value] {
					return true
				}
				levels[top].names[value] = true
				levels[top].isName = false
				continue
			}
			if inObject {
				levels[top].isName = true
			}
		default:
			if inObject {
				levels[top].isName = true
			}
		}
	}
	// Halves of surrogate pairs, which encoding/json replaces.
	return strings.Contains(strings.ToLower(text), `\ud`) || !utf8.ValidString(text)
}

var objects = []string{
	`{}`, `{"exp":1790000300}`, ` {"a" : [1, -0.5e+3, true, null, "\u00e9\ud83d\ude00\n"] } `, `{"a":1,"a":2}`,
	`{"a":1,"\u0061":2}`, `{"a":1e400}`, `{"a":"\ud800"}`, `{"a":"\ud800\u0041"}`, `{"a":01}`, `{"a":[1,]}`, `{,}`,
	"\xef\xbb\xbf{}", `{"a":NaN}`, `[]`, `{"a":"` + "\x01" + `"}`, strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17),
	`{"a":{"b":1},"b":[{"c":1},{"c":2}]}`, `{"\ud834\udd1e":"\/"}`, `{"a":1}{}`, `{"a":-}`, `{"a":tru}`, "{\"\xff\":1}",
}

func compareWithGo(t *testing.T, text string) {
	found, err := readObject(text)
	var expected map[string]any
	isJSON := json.Unmarshal([]byte(text), &expected) == nil && expected != nil
	switch {
	case err == nil && !isJSON:
		t.Fatalf("takes %q, which is no JSON", text)
	case err == nil && !reflect.DeepEqual(found, expected):
		t.Fatalf("reads %q as %v", text, found)
	case err != nil && isJSON && !isOnlyJSON(text):
		t.Fatalf("refuses %q", text)
	}
}

func FuzzReadObject(f *testing.F) {
	for _, text := range objects {
		f.Add(text)
	}
	f.Fuzz(compareWithGo)
}

// changed is a text with a few letters put in, taken out, replaced or doubled.
func changed(random *rand.Rand, text, letters string) string {
	bytes := []byte(text)
	for times := 1 + random.Intn(4); times > 0; times-- {
		at, letter := random.Intn(len(bytes)+1), letters[random.Intn(len(letters))]
		switch {
		case random.Intn(3) == 0:
			bytes = append(bytes[:at], append([]byte{letter}, bytes[at:]...)...)
		case at == len(bytes):
			bytes = append(bytes, bytes[:random.Intn(len(bytes)+1)]...)
		case random.Intn(2) == 0:
			bytes[at] = letter
		default:
			bytes = append(bytes[:at], bytes[at+1:]...)
		}
	}
	return string(bytes)
}

func seeded(t *testing.T) *rand.Rand {
	seed := time.Now().UnixNano()
	if given, err := strconv.ParseInt(os.Getenv("MUTATION_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("with MUTATION_SEED=%d", seed)
		}
	})
	return rand.New(rand.NewSource(seed))
}

func TestChangedJSONIsReadAsGoReadsIt(t *testing.T) {
	random := seeded(t)
	for at := 0; at < 100_000; at++ {
		compareWithGo(t, changed(random, objects[random.Intn(len(objects))], "{}[]:,\"\\/ubtnfr eE+-.0123456789dD8fFaltrs\x00\x1f\x7f\xc3\xa9\xff"))
	}
}
