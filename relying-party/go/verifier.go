package touchmark

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"math"
	"net/http"
	"strings"
	"time"
)

// A store that is asked must not keep a request waiting for long.
const storeTimeout = time.Second

// Headers are a request's headers, found in any case: http.Header is one.
type Headers interface {
	Values(name string) []string
}

// Request is what the check looks at.
type Request struct {
	Method  string
	Headers Headers
	// Client is the client's address, as text. Without a device id it decides whether a request is in
	// the share that is enforced; the log has it, too.
	Client string
	// Path is for the log alone.
	Path string
	// These three are for signed requests: the target as it came, such as "/v2/rates?from=EUR", the host
	// that the client named, and what reads the body up to a limit, or fails; nil when there is none.
	Target string
	Host   string
	Body   func(limit int64) ([]byte, error)
}

// verifier checks requests by the settings: it says what a request is, and nothing of what becomes of
// it. It is for all goroutines to share.
type verifier struct {
	settings *Settings
	clock    func() time.Time
	prefix   prefixPattern
	jwks     *jwksSource
	firebase *jwksSource
	store    ReplayStore
	nonces   ReplayStore
}

// maker is how one maker's tokens are checked.
type maker struct {
	name     Maker
	header   string
	prefix   prefixPattern
	keys     []*key
	jwks     *jwksSource
	issuer   string
	audience string
	demands  demands
	// between stands between the values of two binding headers. No header's value can hold a line feed
	// (RFC 9110, section 5.5), so no two lists of values are joined to the same text.
	between string
	noKid   bool
}

func (v *verifier) makerOf(headers Headers, asked demands) maker {
	s := v.settings
	own := maker{name: MakerTouchmark, header: s.header, prefix: v.prefix, keys: s.keys, jwks: v.jwks, issuer: s.issuer,
		audience: s.audience, demands: asked, between: "\n"}
	switch {
	case s.project == "" && len(s.approov) == 0 || isThere(headers, s.header):
		return own
	case len(s.approov) > 0 && isThere(headers, approovHeader):
		return maker{name: MakerApproov, header: approovHeader, keys: s.approov, demands: demands{binding: s.approovBound},
			noKid: true}
	case s.project != "" && isThere(headers, firebaseHeader):
		return maker{name: MakerFirebase, header: firebaseHeader, jwks: v.firebase, issuer: firebaseIssuer + s.project,
			audience: "projects/" + s.project}
	}
	return own
}

// isThere says whether a header has a value that is not empty.
func isThere(headers Headers, name string) bool { return isAnyThere(headers.Values(name)) }

func isAnyThere(values []string) bool {
	for _, value := range values {
		if strings.Trim(value, whiteSpace) != "" {
			return true
		}
	}
	return false
}

// check judges a request. The mode of its route is applied by the guard.
func (v *verifier) check(ctx context.Context, request Request, asked demands) Result {
	if isPreflight(request) {
		return result(MakerTouchmark, ReasonPreflight)
	}
	from := v.makerOf(request.Headers, asked)
	text, reason := from.find(request.Headers)
	if reason != ReasonOK {
		return result(from.name, reason)
	}
	found, reason := parseToken(text, from.name)
	if reason != ReasonOK {
		return from.resultOf(text, reason)
	}
	signed, reason := from.signerOf(ctx, found)
	if signed == signedByNobody {
		return from.resultOf(text, reason)
	}
	judged := Result{Claims: found.claims, Device: found.device(), Maker: from.name}
	judged.Reason = ReasonDecoy
	if signed == signedByKey {
		judged.Reason = v.judge(ctx, &from, found, request, &judged.Detail)
	}
	if judged.Status = statusOf(judged.Reason); judged.Status != Valid {
		judged.Fingerprint = fingerprint(text)
	}
	return judged
}

func result(name Maker, reason Reason) Result {
	return Result{Maker: name, Status: statusOf(reason), Reason: reason}
}

func (m *maker) resultOf(text string, reason Reason) Result {
	found := result(m.name, reason)
	found.Fingerprint = fingerprint(text)
	return found
}

// find gives the text that should be a token.
func (m *maker) find(headers Headers) (string, Reason) {
	values := headers.Values(m.header)
	if !isAnyThere(values) {
		return "", ReasonNoToken
	}
	if len(values) > 1 || strings.Contains(values[0], ",") {
		return "", ReasonTwoTokens
	}
	text, ok := m.prefix.cut(strings.Trim(values[0], whiteSpace))
	if !ok {
		return "", ReasonWrongPrefix
	}
	return text, ReasonOK
}

// signerOf says who signed a token, and when nobody whom the settings know did, why.
func (m *maker) signerOf(ctx context.Context, found *token) (signer, Reason) {
	keys, id := m.keys, found.id
	if m.noKid {
		id = nil
	}
	if m.jwks != nil && m.jwks.isFor(found.algorithm) {
		// Secrets are for HS256 alone, which no JWKS is for: either has keys for this token, or the other.
		var had bool
		if keys, had = m.jwks.find(ctx, found.algorithm, id); !had {
			return signedByNobody, ReasonNoKeys
		}
	}
	if !hasAlgorithm(keys, found.algorithm) {
		return signedByNobody, ReasonWrongAlgorithm
	}
	tried := candidates(keys, found.algorithm, id)
	if len(tried) == 0 {
		return signedByNobody, ReasonUnknownKey
	}
	for _, one := range tried {
		if signed := one.signerOf(found.signed, found.signature); signed != signedByNobody {
			return signed, ReasonOK
		}
	}
	return signedByNobody, ReasonBadSignature
}

// judge judges the claims of a token that is signed with one of the keys.
func (v *verifier) judge(ctx context.Context, from *maker, found *token, request Request, detail *string) Reason {
	now := v.clock()
	if reason := found.judgeTimes(seconds(now), v.settings.leeway); reason != ReasonOK {
		return reason
	}
	if from.issuer != "" && found.claims["iss"] != from.issuer {
		return ReasonWrongIssuer
	}
	if from.audience != "" && !found.isFor(from.audience) {
		return ReasonWrongAudience
	}
	if level, _ := found.claims["lvl"].(string); levelOf(level) < from.demands.level {
		return ReasonLowLevel
	}
	if reason := from.judgeBinding(found, request.Headers); reason != ReasonOK {
		return reason
	}
	if reason := v.checkSignatures(ctx, from, found, request, now, detail); reason != ReasonOK {
		return reason
	}
	if from.demands.singleUse {
		return v.spend(ctx, found, now, detail)
	}
	return ReasonOK
}

func (m *maker) judgeBinding(found *token, headers Headers) Reason {
	if len(m.demands.binding) == 0 {
		return ReasonOK
	}
	values := make([]string, len(m.demands.binding))
	for at, name := range m.demands.binding {
		// A header that stands twice: RFC 9110, section 5.3.
		values[at] = strings.Trim(strings.Join(headers.Values(name), ", "), whiteSpace)
		if values[at] == "" || strings.Contains(values[at], "\n") {
			return ReasonNoBoundHeader
		}
	}
	pay, _ := found.claims["pay"].(string)
	if subtle.ConstantTimeCompare([]byte(pay), []byte(BindingClaim(strings.Join(values, m.between)))) != 1 {
		return ReasonWrongPay
	}
	return ReasonOK
}

// spend is the last of the checks: what fails another one spends nothing.
func (v *verifier) spend(ctx context.Context, found *token, now time.Time, detail *string) Reason {
	jti, _ := found.claims["jti"].(string)
	if jti == "" {
		return ReasonNoJti
	}
	exp, _ := timeOf(found.claims["exp"])
	first, err := ask(ctx, v.store, sha256.Sum256([]byte(jti)), now, timeAt(exp+v.settings.leeway))
	switch {
	case err != nil && !v.settings.failOpen:
		*detail = "the store of spent tokens does not answer"
		return ReasonNoReplayStore
	case err != nil:
		*detail = "let through, since the store of spent tokens does not answer"
		return ReasonOK
	case !first:
		return ReasonReplayed
	}
	return ReasonOK
}

func ask(ctx context.Context, store ReplayStore, id SpentID, now, until time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return store.Spend(ctx, id, now, until)
}

// timeAt is a time that a token has.
func timeAt(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Ceil(fraction*1e9)))
}

// isPreflight says whether a request is a browser's question before a request to another origin
// (CORS-preflight request, Fetch standard). A browser sends it by itself, and it can carry no token.
func isPreflight(request Request) bool {
	return request.Method == http.MethodOptions && isThere(request.Headers, "Origin") &&
		tokenPattern.MatchString(strings.Trim(first(request.Headers, "Access-Control-Request-Method"), whiteSpace))
}

func first(headers Headers, name string) string {
	if values := headers.Values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}
