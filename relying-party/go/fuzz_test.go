package touchmark_test

import (
	"testing"
	"time"

	"touchmark"
	"touchmark/internal/contract"
)

// A whole token, as it comes: whatever it is, it gets one of the contract's reasons, and is valid only
// when it is one of those that the vectors know.
func FuzzToken(f *testing.F) {
	guard := guardOf(f, with("TOUCHMARK_TOKEN_PREFIX", "Bearer "), touchmark.WithClock(func() time.Time { return time.Unix(1790000000, 0) }))
	genuine := map[string]bool{}
	file := contract.Read(f, contract.Requests)
	for _, name := range []string{"tokens", "forms of a token"} {
		for _, c := range file.Named(f, name).Cases {
			for _, header := range c.Headers {
				genuine[header[1]] = c.HTTP == 200
				f.Add("Bearer " + header[1])
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		decision, _ := guard.CheckHTTP(request("GET", "/", "Touchmark-Token", text), nil)
		if decision.Status == touchmark.Valid && !genuine[text[len("Bearer "):]] {
			t.Fatalf("accepts %q", text)
		}
		if decision.Status == "" {
			t.Fatalf("has no status for %q", decision.Reason)
		}
	})
}
