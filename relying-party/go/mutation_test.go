package touchmark_test

import (
	"encoding/json"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchmark"
	"touchmark/internal/contract"
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// mutated is another text than the token.
func mutated(random *rand.Rand, token string, others []string) string {
	text := []byte(token)
	for string(text) == token {
		for times := 1 + random.Intn(3); times > 0; times-- {
			at := random.Intn(len(text) + 1)
			switch random.Intn(8) {
			case 0: // a letter of base64url in place of another
				if at < len(text) {
					text[at] = letters[random.Intn(len(letters))]
				}
			case 1: // any byte
				if at < len(text) {
					text[at] = byte(random.Intn(256))
				}
			case 2: // one taken out
				if at < len(text) {
					text = append(text[:at], text[at+1:]...)
				}
			case 3: // one put in
				text = append(text[:at], append([]byte{letters[random.Intn(len(letters))]}, text[at:]...)...)
			case 4: // cut short
				text = text[:at]
			case 5: // a part of another token
				ours, theirs := strings.Split(string(text), "."), strings.Split(others[random.Intn(len(others))], ".")
				part := random.Intn(len(ours))
				ours[part] = theirs[part%len(theirs)]
				text = []byte(strings.Join(ours, "."))
			case 6: // two neighbours swapped
				if at > 1 {
					text[at-1], text[at-2] = text[at-2], text[at-1]
				}
			case 7: // a piece twice
				text = append(text, text[at:]...)
			}
		}
	}
	return string(text)
}

func TestNoMutatedTokenIsAccepted(t *testing.T) {
	seed := time.Now().UnixNano()
	if given, err := strconv.ParseInt(os.Getenv("MUTATION_SEED"), 10, 64); err == nil {
		seed = given
	}
	random := rand.New(rand.NewSource(seed))
	file := contract.Read(t, contract.Requests)
	mutations := 0
	for _, name := range []string{"tokens", "public keys", "secrets with a kid", "bound to Authorization"} {
		group := file.Named(t, name)
		guard := guardOf(t, group.Prepared(t), touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }))
		var tokens, all []string
		genuine := map[string]bool{}
		for _, c := range group.Cases {
			for _, header := range c.Headers {
				if header[0] != "Touchmark-Token" {
					continue
				}
				all = append(all, header[1])
				if c.HTTP == 200 && len(header[1]) < 2000 {
					tokens = append(tokens, header[1])
					genuine[header[1]] = true
				}
			}
		}
		for at := 0; at < 15_000; at++ {
			text := mutated(random, tokens[random.Intn(len(tokens))], all)
			decision, _ := guard.CheckHTTP(request("GET", "/", "Touchmark-Token", text, "Authorization", "Bearer abc"), nil)
			// White space around a header's value is no part of it.
			if decision.Status == touchmark.Valid && !genuine[strings.Trim(text, " \t")] {
				t.Fatalf("MUTATION_SEED=%d: %s: %q is accepted", seed, name, text)
			}
			mutations++
		}
	}
	t.Logf("%d mutated tokens with MUTATION_SEED=%d", mutations, seed)
}

// Marked invalid for a wrong padding that their text does not have: it is that of valid test 357. And
// marked valid with a character outside base64url in header or payload (RFC 7515, section 2).
var mismarked = map[int]bool{367: true, 370: true, 372: true, 373: true}

func TestWycheproof(t *testing.T) {
	text, err := os.ReadFile("../../tests/vectors/wycheproof/json_web_signature_test.json")
	var file struct {
		TestGroups []struct {
			Private, Public json.RawMessage
			Tests           []struct {
				TcID        int
				Jws, Result string
			}
		}
	}
	if err != nil || json.Unmarshal(text, &file) != nil {
		t.Fatal("no vectors: ", err)
	}
	cases := 0
	for _, group := range file.TestGroups {
		key := group.Public
		if len(key) == 0 {
			key = group.Private
		}
		accepts := touchmark.SignatureChecker(key)
		if accepts == nil {
			continue
		}
		for _, c := range group.Tests {
			cases++
			if accepts(c.Jws) != ((c.Result == "valid") != mismarked[c.TcID]) {
				t.Errorf("%d: accepted: %t", c.TcID, accepts(c.Jws))
			}
		}
	}
	if cases < 40 {
		t.Errorf("only %d cases", cases)
	}
	t.Logf("%d cases", cases)
}
