package touchmark

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxJWKSBytes = 256 << 10
	maxJWKSKeys  = 64
	jwksTimeout  = 5 * time.Second
	jwksLifetime = 10 * time.Minute
	// What a source may say of its lifetime (Cache-Control: max-age).
	minJWKSLifetime, maxJWKSLifetime = time.Minute, 24 * time.Hour
	// How often tokens with an unknown kid may make it read again, and a lost source is tried.
	jwksPause        = 10 * time.Second
	maxJWKSRedirects = 3
)

var maxAge = regexp.MustCompile(`(?i)(?:^|[\s,])max-age="?([0-9]{1,10})`)

// jwksSource has the keys of a JWKS, and reads it again when it is old, or when a token asks for a key
// that it does not have. One reading at a time; whoever needs what it brings waits for it.
type jwksSource struct {
	location string
	// algorithm, when it is not empty, is the only one that its keys may be for.
	algorithm string
	client    *http.Client
	clock     func() time.Time
	failed    func(error)

	// current is nil until a reading succeeded.
	current atomic.Pointer[jwksSet]

	mutex   sync.Mutex
	reading chan struct{} // closed when the reading that is under way ends; nil when none is
	askable time.Time     // when an unknown kid may make it read again
	retry   time.Time     // when it may be tried again after it failed
	failing bool          // the last reading failed
}

type jwksSet struct {
	keys  []*key
	until time.Time
}

func newJWKSSource(location, algorithm string, client *http.Client, clock func() time.Time, failed func(error)) *jwksSource {
	bounded := http.Client{Timeout: jwksTimeout, CheckRedirect: checkRedirect}
	if client != nil {
		bounded.Transport = client.Transport
	}
	return &jwksSource{location: location, algorithm: algorithm, client: &bounded, clock: clock, failed: failed}
}

func checkRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > maxJWKSRedirects || !isTrusted(next.URL) {
		return errors.New("redirected too often, or to where no key may come from")
	}
	return nil
}

// isFor says whether a token of this algorithm could be signed with a key of this source.
func (s *jwksSource) isFor(algorithm string) bool {
	return s.algorithm == algorithm || s.algorithm == "" && algorithm != "HS256" && methods[algorithm] != nil
}

// find gives the keys for a token of this algorithm and kid, after reading the set when that may bring
// them. False: no set could be had yet.
func (s *jwksSource) find(ctx context.Context, algorithm string, id *string) ([]*key, bool) {
	now := s.clock()
	set := s.current.Load()
	if set == nil || !now.Before(set.until) || !set.has(algorithm, id) {
		s.refresh(ctx, now, algorithm, id)
		set = s.current.Load()
	}
	if set == nil {
		return nil, false
	}
	return set.keys, true
}

// has says whether a key has this very kid; a token without one is for every key.
func (s *jwksSet) has(algorithm string, id *string) bool {
	for _, one := range s.keys {
		if one.algorithm == algorithm && (id == nil || one.id != nil && *one.id == *id) {
			return true
		}
	}
	return false
}

// refresh starts a reading when there is cause, or joins the one that is under way, and waits for it
// unless the set at hand will do.
func (s *jwksSource) refresh(ctx context.Context, now time.Time, algorithm string, id *string) {
	s.mutex.Lock()
	set := s.current.Load() // another may have brought it meanwhile
	known := set != nil && set.has(algorithm, id)
	old := set != nil && !now.Before(set.until)
	if s.reading == nil {
		switch {
		case known && !old:
			s.mutex.Unlock()
			return
		case set == nil || old:
			if now.Before(s.retry) {
				s.mutex.Unlock()
				return
			}
		default: // an unknown kid, or an algorithm that no key is for
			if now.Before(s.askable) {
				s.mutex.Unlock()
				return
			}
		}
		if !known && set != nil {
			s.askable = now.Add(jwksPause)
		}
		s.reading = make(chan struct{})
		go s.read(s.reading)
	}
	reading := s.reading
	// While the source is lost, who has a key does not wait for it again.
	stale := known && (!old || s.failing)
	s.mutex.Unlock()
	if stale {
		return
	}
	select {
	case <-reading:
	case <-ctx.Done():
	}
}

func (s *jwksSource) read(done chan struct{}) {
	// Not a request's context: others wait for the same reading.
	ctx, cancel := context.WithTimeout(context.Background(), jwksTimeout)
	defer cancel()
	text, lifetime, err := s.fetch(ctx)
	var keys []*key
	if err == nil {
		keys, err = readJWKS(text, s.algorithm)
	}
	now := s.clock()
	s.mutex.Lock()
	s.failing = err != nil
	if err == nil {
		s.current.Store(&jwksSet{keys, now.Add(lifetime)})
	} else {
		s.retry = now.Add(jwksPause)
	}
	s.reading = nil
	s.mutex.Unlock()
	close(done)
	if err != nil {
		s.failed(err)
	}
}

func (s *jwksSource) fetch(ctx context.Context) ([]byte, time.Duration, error) {
	if !strings.Contains(s.location, "://") {
		text, err := readFile(s.location)
		return text, jwksLifetime, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.location, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, 0, withoutURL(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("answers with status %d", answer.StatusCode)
	}
	text, err := readBounded(answer.Body)
	return text, lifetimeOf(answer.Header), err
}

// withoutURL leaves out the URL, which may hold a password.
func withoutURL(err error) error {
	var ofURL *url.Error
	if errors.As(err, &ofURL) {
		return ofURL.Err
	}
	return err
}

func readFile(path string) ([]byte, error) {
	// Opening a pipe would wait for who writes to it.
	if about, err := os.Stat(path); err != nil {
		return nil, err
	} else if !about.Mode().IsRegular() {
		return nil, errors.New("is no file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

func readBounded(from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxJWKSBytes+1))
	if err == nil && len(text) > maxJWKSBytes {
		return nil, fmt.Errorf("has more than %d bytes", maxJWKSBytes)
	}
	return text, err
}

func lifetimeOf(header http.Header) time.Duration {
	found := maxAge.FindStringSubmatch(strings.Join(header.Values("Cache-Control"), ","))
	if found == nil {
		return jwksLifetime
	}
	number, _ := strconv.ParseInt(found[1], 10, 64) // of at most ten digits
	switch lifetime := time.Duration(number) * time.Second; {
	case lifetime < minJWKSLifetime:
		return minJWKSLifetime
	case lifetime > maxJWKSLifetime:
		return maxJWKSLifetime
	default:
		return lifetime
	}
}

// readJWKS gives the usable keys of a set, of which there is one at least.
func readJWKS(text []byte, algorithm string) ([]*key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("is not a JWKS")
	}
	if len(set.Keys) > maxJWKSKeys {
		return nil, fmt.Errorf("has more than %d keys", maxJWKSKeys)
	}
	var keys []*key
	for _, one := range set.Keys {
		if found := readJWK(one); found != nil && (algorithm == "" || found.algorithm == algorithm) {
			keys = append(keys, found)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("has no key that tokens could be checked with")
	}
	return keys, nil
}
