package touchmark

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

const (
	labelInstall = "install"
	labelAccount = "account"

	maxSignatureField = 8 << 10
	maxNonce          = 128
	// How far a phone's clock may be ahead.
	maxAhead = 5
)

// algorithmOf are the algorithms of a label's signature: by their name in RFC 9421, and in JOSE, whose
// signatures are of the same form.
var algorithmOf = map[string][2]string{
	labelInstall: {"ecdsa-p256-sha256", "ES256"},
	labelAccount: {"hmac-sha256", "HS256"},
}

// signatures are what the settings ask for of a request's signatures.
type signatures struct {
	labels  []string
	headers []string
	origin  string
	age     float64
	maxBody int64
	nonces  string
	account []*key
}

// checkSignatures goes by protocol/request-signatures.md.
func (v *verifier) checkSignatures(ctx context.Context, from *maker, found *token, request Request, now time.Time, detail *string) Reason {
	type nonce struct {
		id    SpentID
		until time.Time
	}
	var nonces []nonce
	for _, label := range v.settings.signatures.labels {
		one := signature{label: label, request: request, settings: v.settings}
		if reason := one.check(from, found, seconds(now)); reason != ReasonOK {
			return reason
		}
		of := append(append([]byte(label), 0), one.signer...)
		kept := float64(one.created) + v.settings.signatures.age + 2*v.settings.leeway + maxAhead
		nonces = append(nonces, nonce{sha256.Sum256(append(append(of, 0), one.nonce...)), timeAt(kept)})
	}
	for _, one := range nonces {
		first, err := ask(ctx, v.nonces, one.id, now, one.until)
		switch {
		case err != nil && !v.settings.failOpen:
			*detail = "the store of nonces does not answer"
			return ReasonNoReplayStore
		case err != nil:
			*detail = "let through, since the store of nonces does not answer"
		case !first:
			return ReasonNonceReplayed
		}
	}
	return ReasonOK
}

// signature is the check of one label.
type signature struct {
	label    string
	request  Request
	settings *Settings

	input   httpsfv.InnerList
	value   []byte
	created int64
	nonce   string
	// signer is who signed: the claim did, or the id of the account key.
	signer string
}

func (s *signature) check(from *maker, found *token, now float64) Reason {
	if reason := s.read(); reason != ReasonOK {
		return reason
	}
	base, reason := s.base(from.header)
	if reason != ReasonOK {
		return reason
	}
	if !s.isInTime(now) {
		return ReasonBadSignatureTime
	}
	var isText bool
	value, _ := s.input.Params.Get("nonce")
	if s.nonce, isText = value.(string); !isText || s.nonce == "" || len(s.nonce) > maxNonce {
		return ReasonNoNonce
	}
	keys := s.keys(from, found)
	if len(keys) == 0 {
		return ReasonNoSigningKey
	}
	if hasBody(s.request) && !s.isDigestRight() {
		return ReasonWrongDigest
	}
	for _, one := range keys {
		if one.signerOf(base, s.value) == signedByKey {
			if s.signer = found.device(); s.label == labelAccount {
				s.signer = ""
				if one.id != nil {
					s.signer = *one.id
				}
			}
			return ReasonOK
		}
	}
	return ReasonWrongSignature
}

// read finds the label's members in the two fields.
func (s *signature) read() Reason {
	inputs, isInput := dictionary(s.request.Headers, "Signature-Input")
	values, isValue := dictionary(s.request.Headers, "Signature")
	input, hasInput := inputs.Get(s.label)
	value, hasValue := values.Get(s.label)
	if isInput && !hasInput || isValue && !hasValue {
		return ReasonNoSignature
	}
	item, isItem := value.(httpsfv.Item)
	list, isList := input.(httpsfv.InnerList)
	if !isInput || !isValue || !isItem || !isList {
		return ReasonBadSignatureInput
	}
	var isBytes bool
	if s.value, isBytes = item.Value.([]byte); !isBytes {
		return ReasonBadSignatureInput
	}
	if algorithm, given := list.Params.Get("alg"); given && algorithm != algorithmOf[s.label][0] {
		return ReasonBadSignatureInput
	}
	s.input = list
	return ReasonOK
}

// dictionary reads a field (RFC 8941); false: it is none, or too long.
func dictionary(headers Headers, name string) (found *httpsfv.Dictionary, isOne bool) {
	found = httpsfv.NewDictionary()
	text := joined(headers.Values(name))
	if len(text) > maxSignatureField {
		return found, false
	}
	// The library panics for a date that the text's end cuts off.
	defer func() {
		if recover() != nil {
			found, isOne = httpsfv.NewDictionary(), false
		}
	}()
	read, err := httpsfv.UnmarshalDictionary([]string{text})
	if err != nil || !isOf8941(read) {
		return found, false
	}
	return read, true
}

// isOf8941 says whether a dictionary has only types of RFC 8941. The library reads those of RFC 9651, too.
func isOf8941(dictionary *httpsfv.Dictionary) bool {
	for _, name := range dictionary.Names() {
		items := []httpsfv.Item{}
		switch member, _ := dictionary.Get(name); member := member.(type) {
		case httpsfv.Item:
			items = append(items, member)
		case httpsfv.InnerList:
			items = append(member.Items, httpsfv.Item{Params: member.Params})
		}
		for _, item := range items {
			values := []any{item.Value}
			for _, parameter := range item.Params.Names() {
				value, _ := item.Params.Get(parameter)
				values = append(values, value)
			}
			for _, value := range values {
				switch value.(type) {
				case time.Time, httpsfv.DisplayString:
					return false
				}
			}
		}
	}
	return true
}

// joined is the value of a field that may stand several times (RFC 9421, section 2.1).
func joined(values []string) string {
	trimmed := make([]string, len(values))
	for at, value := range values {
		trimmed[at] = strings.Trim(value, whiteSpace)
	}
	return strings.Join(trimmed, ", ")
}

// base is what is signed (RFC 9421, section 2.5), when it covers what it must.
func (s *signature) base(tokenHeader string) (string, Reason) {
	text, covered, reason := s.cover()
	if reason != ReasonOK {
		return "", reason
	}
	needed := []string{"@method", "@target-uri", tokenHeader}
	if hasBody(s.request) {
		needed = append(needed, "content-digest")
	}
	for _, name := range s.settings.signatures.headers {
		if len(s.request.values(name)) > 0 {
			needed = append(needed, name)
		}
	}
	for _, name := range needed {
		if !covered[strings.ToLower(name)] {
			return "", ReasonLowCoverage
		}
	}
	return text, ReasonOK
}

// cover puts together what the signature says that it covers.
func (s *signature) cover() (string, map[string]bool, Reason) {
	var text strings.Builder
	covered, absent := map[string]bool{}, false
	for _, item := range s.input.Items {
		name, isText := item.Value.(string)
		if !isText || len(item.Params.Names()) > 0 || covered[name] || strings.ToLower(name) != name {
			return "", nil, ReasonBadSignatureInput
		}
		covered[name] = true
		value, isThere := s.component(name)
		if !isThere && strings.HasPrefix(name, "@") {
			return "", nil, ReasonBadSignatureInput
		}
		absent = absent || !isThere
		text.WriteString(`"` + name + `": ` + value + "\n")
	}
	parameters, err := httpsfv.Marshal(s.input)
	if err != nil {
		return "", nil, ReasonBadSignatureInput
	}
	if absent {
		return "", nil, ReasonLowCoverage
	}
	return text.String() + `"@signature-params": ` + parameters, covered, ReasonOK
}

// component is the value of what a signature may cover.
func (s *signature) component(name string) (string, bool) {
	if !strings.HasPrefix(name, "@") {
		values := s.request.values(name)
		return joined(values), len(values) > 0
	}
	origin := s.settings.signatures.origin
	if origin == "" {
		origin = "https://" + strings.ToLower(s.request.Host)
	}
	scheme, authority, _ := strings.Cut(origin, "://")
	target, _, _ := strings.Cut(s.request.Target, "#")
	path, query, _ := strings.Cut(target, "?")
	switch name {
	case "@method":
		return s.request.Method, true
	case "@target-uri":
		return origin + target, true
	case "@authority":
		return strings.TrimSuffix(authority, defaultPorts[scheme]), true
	case "@scheme":
		return scheme, true
	case "@request-target":
		return target, true
	case "@path":
		return path, true
	case "@query":
		return "?" + query, true
	}
	return "", false
}

var defaultPorts = map[string]string{"https": ":443", "http": ":80"}

// values are those of a header, in any case. net/http keeps Host elsewhere.
func (r *Request) values(name string) []string {
	if strings.EqualFold(name, "Host") && r.Host != "" {
		return []string{r.Host}
	}
	return r.Headers.Values(name)
}

func (s *signature) isInTime(now float64) bool {
	value, _ := s.input.Params.Get("created")
	created, isWhole := value.(int64)
	leeway := s.settings.leeway
	if !isWhole || now-float64(created) >= s.settings.signatures.age+leeway || float64(created)-now > maxAhead+leeway {
		return false
	}
	s.created = created
	if value, given := s.input.Params.Get("expires"); given {
		expires, isWhole := value.(int64)
		return isWhole && now < float64(expires)+leeway
	}
	return true
}

func (s *signature) keys(from *maker, found *token) []*key {
	if s.label == labelAccount {
		value, given := s.input.Params.Get("keyid")
		if !given {
			return candidates(s.settings.signatures.account, "HS256", nil)
		}
		id, isText := value.(string)
		if !isText {
			return nil
		}
		return candidates(s.settings.signatures.account, "HS256", &id)
	}
	ipk, _ := found.claims["ipk"].(string)
	if from.name != MakerTouchmark || ipk == "" {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(ipk)
	if err != nil || base64.StdEncoding.EncodeToString(der) != ipk {
		return nil
	}
	parsed, _ := x509.ParsePKIXPublicKey(der)
	public, isECDSA := parsed.(*ecdsa.PublicKey)
	if !isECDSA || public.Curve != elliptic.P256() {
		return nil
	}
	return []*key{{algorithm: algorithmOf[labelInstall][1], material: public}}
}

func hasBody(request Request) bool { return request.Body != nil }

func (s *signature) isDigestRight() bool {
	digests, isDictionary := dictionary(s.request.Headers, "Content-Digest")
	member, _ := digests.Get("sha-256")
	item, _ := member.(httpsfv.Item)
	given, isBytes := item.Value.([]byte)
	if !isDictionary || !isBytes {
		return false
	}
	body, err := s.request.Body(s.settings.signatures.maxBody)
	digest := sha256.Sum256(body)
	return err == nil && subtle.ConstantTimeCompare(given, digest[:]) == 1
}

// body is that of a request of net/http, of which the check has perhaps read a part.
type body struct {
	of      *http.Request
	asked   bool
	begin   []byte
	problem error
}

// bodyOf is nil where there is no body.
func bodyOf(r *http.Request) *body {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 && len(r.TransferEncoding) == 0 {
		return nil
	}
	return &body{of: r}
}

// read gives the whole body, when it is not beyond the limit. Several labels read it once.
func (b *body) read(limit int64) ([]byte, error) {
	if !b.asked {
		b.asked = true
		b.begin, b.problem = io.ReadAll(io.LimitReader(b.of.Body, limit+1))
		if b.problem == nil && int64(len(b.begin)) > limit {
			b.problem = errors.New("longer than the limit")
		}
	}
	return b.begin, b.problem
}

// whole has the part that was read before the rest.
func (b *body) whole() io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b.begin), b.of.Body), b.of.Body}
}

// targetOf is the request's target as it came.
func targetOf(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // of a client that names a proxy's whole URL
}
