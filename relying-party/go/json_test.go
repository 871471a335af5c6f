package touchmark

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
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

func FuzzReadObject(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"exp":1790000300}`, ` {"a" : [1, -0.5e+3, true, null, "\u00e9\ud83d\ude00\n"] } `, `{"a":1,"a":2}`,
		`{"a":1,"\u0061":2}`, `{"a":1e400}`, `{"a":"\ud800"}`, `{"a":"\ud800\u0041"}`, `{"a":01}`, `{"a":[1,]}`, `{,}`,
		"\xef\xbb\xbf{}", `{"a":NaN}`, `[]`, `{"a":"` + "\x01" + `"}`, strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17),
		`{"a":{"b":1},"b":[{"c":1},{"c":2}]}`, `{"\ud834\udd1e":"\/"}`, `{"a":1}{}`, `{"a":-}`, `{"a":tru}`, "{\"\xff\":1}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
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
	})
}
