package touchmark_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"touchmark"
)

// signer is a key with its kid.
type signer struct {
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, key}
}

func (s signer) token() string { return s.tokenUntil(1790100000) }

func (s signer) tokenUntil(exp int64) string {
	made := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"did": "device", "exp": exp})
	made.Header["kid"] = s.kid
	text, err := made.SignedString(s.key)
	if err != nil {
		panic(err)
	}
	return text
}

func setOf(signers ...signer) string {
	encode := base64.RawURLEncoding.EncodeToString
	keys := []map[string]string{}
	for _, one := range signers {
		keys = append(keys, map[string]string{"kty": "EC", "crv": "P-256", "kid": one.kid,
			"x": encode(one.key.X.FillBytes(make([]byte, 32))), "y": encode(one.key.Y.FillBytes(make([]byte, 32)))})
	}
	text, _ := json.Marshal(map[string]any{"keys": keys})
	return string(text)
}

// source serves a JWKS, and counts how often it is asked.
type source struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Value // func(http.ResponseWriter)
}

func newSource(t *testing.T, text string) *source {
	made := &source{}
	made.serve(text)
	made.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		made.asked.Add(1)
		made.answer.Load().(func(http.ResponseWriter))(w)
	}))
	t.Cleanup(made.Close)
	return made
}

func (s *source) serve(text string, headers ...string) {
	s.answer.Store(func(w http.ResponseWriter) {
		if len(headers) > 0 {
			w.Header().Set(headers[0], headers[1])
		}
		io.WriteString(w, text)
	})
}

func (s *source) fail() {
	s.answer.Store(func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
}

func reasonOf(guard *touchmark.Guard, token string) touchmark.Reason {
	decision, _ := guard.CheckHTTP(request("GET", "/", "Touchmark-Token", token), nil)
	return decision.Reason
}

func TestAJWKSIsReadAgainForAnUnknownKey(t *testing.T) {
	old, next := newSigner(t, "old"), newSigner(t, "next")
	from, clock := newSource(t, setOf(old)), newClock()
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(clock.read))
	expect := func(token string, reason touchmark.Reason, asked int64) {
		t.Helper()
		if found := reasonOf(guard, token); found != reason || from.asked.Load() != asked {
			t.Errorf("%s, and the source was asked %d times", found, from.asked.Load())
		}
	}
	expect(old.token(), touchmark.ReasonOK, 1)
	expect(old.token(), touchmark.ReasonOK, 1)
	expect(next.token(), touchmark.ReasonUnknownKey, 2)
	from.serve(setOf(old, next))
	expect(next.token(), touchmark.ReasonUnknownKey, 2) // within ten seconds
	clock.advance(10 * time.Second)
	expect(next.token(), touchmark.ReasonOK, 3)
	from.serve(setOf(next))
	expect(old.token(), touchmark.ReasonOK, 3)
	clock.advance(9*time.Minute + 59*time.Second)
	expect(old.token(), touchmark.ReasonOK, 3)
	clock.advance(time.Second)
	if reasonOf(guard, old.token()); from.asked.Load() != 4 {
		t.Error(from.asked.Load())
	}
}

func TestWhatTheSourceSaysOfItsLifetime(t *testing.T) {
	key := newSigner(t, "key")
	for said, lifetime := range map[string]time.Duration{
		"max-age=120": 2 * time.Minute, "public, Max-Age=0": time.Minute, "max-age=9999999": 24 * time.Hour,
		"no-store": 10 * time.Minute, "max-age=-5": 10 * time.Minute, "x-max-age=120": 10 * time.Minute, `max-age="90"`: 90 * time.Second,
	} {
		from, clock := newSource(t, ""), newClock()
		from.serve(setOf(key), "Cache-Control", said)
		guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(clock.read))
		reasonOf(guard, key.token())
		clock.advance(lifetime - time.Second)
		reasonOf(guard, key.token())
		before := from.asked.Load()
		clock.advance(time.Second)
		reasonOf(guard, key.token())
		if before != 1 || from.asked.Load() != 2 {
			t.Error(said, before, from.asked.Load())
		}
	}
}

func TestALostSourceLeavesTheKeysThatAreKnown(t *testing.T) {
	key, stranger := newSigner(t, "key"), newSigner(t, "stranger")
	from, clock := newSource(t, setOf(key)), newClock()
	var log lines
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(clock.read), touchmark.WithLog(log.add))
	reasonOf(guard, key.token())
	for _, fault := range []func(){
		from.fail,
		func() { from.serve("not JSON") },
		func() { from.serve(`{"keys":[]}`) },
		func() { from.serve(`{"keys":[{"kty":"oct","k":"AAAA"},1,null,"x"]}`) },
		func() { from.serve(`{"keys":[` + strings.Repeat(`{},`, 64) + `{}]}`) },
		func() {
			from.serve(strings.TrimSuffix(setOf(key), "}") + `,"x":"` + strings.Repeat("x", 256<<10) + `"}`)
		},
		func() {
			from.answer.Store(func(w http.ResponseWriter) {
				w.Header().Set("Location", "http://example.invalid/")
				w.WriteHeader(http.StatusFound)
			})
		},
	} {
		fault()
		before := from.asked.Load()
		clock.advance(10 * time.Second)
		if found := reasonOf(guard, stranger.token()); found != touchmark.ReasonUnknownKey || from.asked.Load() == before {
			t.Error(found)
		}
		if found := reasonOf(guard, key.token()); found != touchmark.ReasonOK {
			t.Error(found)
		}
	}
	clock.now = time.Unix(1790000000, 0).Add(290 * time.Second)
	from.CloseClientConnections()
	from.Close()
	for at := 0; at < 3; at++ {
		if found := reasonOf(guard, key.token()); found != touchmark.ReasonOK {
			t.Error(found)
		}
	}
	if !strings.Contains(log.text(), "TOUCHMARK_JWKS cannot be read, and the keys that are known go on counting") ||
		strings.Contains(log.text(), from.URL) {
		t.Error(log.text())
	}
}

func TestWithoutASetNobodyIsLetIn(t *testing.T) {
	key := newSigner(t, "key")
	from, clock := newSource(t, ""), newClock()
	from.fail()
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(clock.read))
	for at := 0; at < 5; at++ {
		if found := reasonOf(guard, key.token()); found != touchmark.ReasonNoKeys {
			t.Error(found)
		}
	}
	if found := reasonOf(guard, fresh); found != touchmark.ReasonWrongAlgorithm || from.asked.Load() != 1 {
		t.Error(found, from.asked.Load())
	}
	from.serve(setOf(key))
	clock.advance(10 * time.Second)
	if found := reasonOf(guard, key.token()); found != touchmark.ReasonOK {
		t.Error(found)
	}
}

// A source that answers nothing costs the requests that meet its reading five seconds, once.
func TestASlowSource(t *testing.T) {
	key := newSigner(t, "key")
	from := newSource(t, "")
	release := make(chan struct{})
	from.answer.Store(func(w http.ResponseWriter) {
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(newClock().read))
	begin := time.Now()
	var all sync.WaitGroup
	for at := 0; at < 20; at++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if found := reasonOf(guard, key.token()); found != touchmark.ReasonNoKeys {
				t.Error(found)
			}
		}()
	}
	all.Wait()
	if took := time.Since(begin); took < 4*time.Second || took > 30*time.Second || from.asked.Load() != 1 {
		t.Error(took, from.asked.Load())
	}
	begin = time.Now()
	reasonOf(guard, key.token())
	if took := time.Since(begin); took > 4*time.Second {
		t.Error(took)
	}
}

func TestAJWKSInAFile(t *testing.T) {
	key, next := newSigner(t, "key"), newSigner(t, "next")
	path := filepath.Join(t.TempDir(), "jwks.json")
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": path}, touchmark.WithClock(newClock().read))
	os.WriteFile(path, []byte(setOf(key)), 0o600)
	if found := reasonOf(guard, key.token()); found != touchmark.ReasonOK {
		t.Error(found)
	}
	os.WriteFile(path, []byte(setOf(key, next)), 0o600)
	if found := reasonOf(guard, next.token()); found != touchmark.ReasonOK {
		t.Error(found)
	}
	folder := guardOf(t, map[string]string{"TOUCHMARK_JWKS": t.TempDir()})
	if found := reasonOf(folder, key.token()); found != touchmark.ReasonNoKeys {
		t.Error(found)
	}
}

// Many goroutines check tokens while the key is rotated: first it is published, then it is used.
func TestKeysAreRotatedUnderLoad(t *testing.T) {
	const workers, rotations = 4, 5
	requests := 100_000
	if testing.Short() {
		requests /= 10
	}
	clock := newClock()
	keys := make([]signer, rotations+1)
	tokens := make([]string, rotations+1)
	for at := range keys {
		keys[at] = newSigner(t, fmt.Sprint("key-", at))
		tokens[at] = keys[at].token()
	}
	from := newSource(t, setOf(keys[0]))
	guard := guardOf(t, map[string]string{"TOUCHMARK_JWKS": from.URL}, touchmark.WithClock(clock.read))
	var done, refused, current atomic.Int64
	var all sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for number := done.Add(1); number <= int64(requests); number = done.Add(1) {
				at := current.Load()
				if number%2 == 0 && at > 0 {
					at-- // what phones still have
				}
				if reasonOf(guard, tokens[at]) != touchmark.ReasonOK {
					refused.Add(1)
				}
			}
		}()
	}
	for at := 1; at <= rotations; at++ {
		for done.Load() < int64(at*requests/(rotations+1)) {
			time.Sleep(time.Millisecond)
		}
		from.serve(setOf(keys[:at+1]...)) // a worker may have been asleep with an old token
		clock.advance(10 * time.Second)
		current.Store(int64(at))
	}
	all.Wait()
	if refused.Load() != 0 || from.asked.Load() != rotations+1 {
		t.Errorf("%d of %d requests were refused, and the source was asked %d times", refused.Load(), requests, from.asked.Load())
	}
}
