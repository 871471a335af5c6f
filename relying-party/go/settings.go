package touchmark

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The settings, by the names that the contract gives them.
const (
	setSecret          = "TOUCHMARK_SECRET"
	setDecoySecret     = "TOUCHMARK_DECOY_SECRET"
	setJWKS            = "TOUCHMARK_JWKS"
	setMode            = "TOUCHMARK_MODE"
	setPercent         = "TOUCHMARK_PERCENT"
	setHeader          = "TOUCHMARK_TOKEN_HEADER"
	setPrefix          = "TOUCHMARK_TOKEN_PREFIX"
	setBinding         = "TOUCHMARK_BINDING_HEADERS"
	setAudience        = "TOUCHMARK_AUDIENCE"
	setIssuer          = "TOUCHMARK_ISSUER"
	setLevel           = "TOUCHMARK_LEVEL"
	setLeeway          = "TOUCHMARK_LEEWAY"
	setSingleUse       = "TOUCHMARK_SINGLE_USE"
	setReplayFailure   = "TOUCHMARK_REPLAY_FAILURE"
	setApproovSecret   = "TOUCHMARK_APPROOV_SECRET"
	setApproovBinding  = "TOUCHMARK_APPROOV_BINDING_HEADERS"
	setFirebaseProject = "TOUCHMARK_FIREBASE_PROJECT"
	setFirebaseJWKS    = "TOUCHMARK_FIREBASE_JWKS"
	setSignatures      = "TOUCHMARK_SIGNATURES"
	setSigHeaders      = "TOUCHMARK_SIGNATURE_HEADERS"
	setSigOrigin       = "TOUCHMARK_SIGNATURE_ORIGIN"
	setSigAge          = "TOUCHMARK_SIGNATURE_AGE"
	setSigBody         = "TOUCHMARK_SIGNATURE_BODY"
	setSigNonces       = "TOUCHMARK_SIGNATURE_NONCES"
	setAccountKey      = "TOUCHMARK_ACCOUNT_KEY"
)

const (
	defaultHeader  = "Touchmark-Token"
	approovHeader  = "Approov-Token"
	firebaseHeader = "X-Firebase-AppCheck"
	firebaseIssuer = "https://firebaseappcheck.googleapis.com/"
	firebaseKeys   = "https://firebaseappcheck.googleapis.com/v1/jwks"
	whiteSpace     = " \t" // RFC 9110, section 5.6.3
	// More than this is no difference between clocks, and keeps stolen tokens alive.
	maxLeeway = 300
	// The longest that a signature may be under way, and the longest body that one may cover.
	maxSignatureAge  = 300
	maxSignatureBody = 64 << 20
	// So few letters apart are a typing error, whatever was meant.
	typingError = 2
)

var (
	allSettings = []string{
		setSecret, setDecoySecret, setJWKS, setMode, setPercent, setHeader, setPrefix, setBinding, setAudience,
		setIssuer, setLevel, setLeeway, setSingleUse, setReplayFailure, setApproovSecret, setApproovBinding,
		setFirebaseProject, setFirebaseJWKS, setSignatures, setSigHeaders, setSigOrigin, setSigAge, setSigBody, setSigNonces,
		setAccountKey,
	}
	// What the command and the service read, and may well stand in the same environment.
	settingsOfOthers = []string{
		"TOUCHMARK_BIN", "TOUCHMARK_DATA", "TOUCHMARK_HOME", "TOUCHMARK_LISTEN", "TOUCHMARK_PIN", "TOUCHMARK_PROFILE",
		"TOUCHMARK_PUBLIC_URL", "TOUCHMARK_TOKEN", "TOUCHMARK_URL",
	}
	// RFC 9110, section 5.6.2: the name of a header, and that of a method.
	tokenPattern   = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	kidPattern     = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)
	percentPattern = regexp.MustCompile(`^(100|[1-9]?[0-9])$`)
	secondsPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	projectPattern = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// Settings are what a check goes by. [ReadSettings] makes them; there are none without it, so that no
// forgotten field turns a check off.
type Settings struct {
	mode       Mode
	percent    int
	header     string
	prefix     string
	keys       []*key
	jwks       string
	demands    demands
	audience   string
	issuer     string
	leeway     float64
	signatures signatures
	// store is "", "memory" or redis://…
	store        string
	failOpen     bool
	approov      []*key
	approovBound []string
	project      string
	firebaseJWKS string
	warnings     []string
}

// demands are what a route may ask for beyond the settings.
type demands struct {
	level     Level
	binding   []string
	singleUse bool
}

// AskForSignatures says whether requests must be signed (TOUCHMARK_SIGNATURES).
func (s *Settings) AskForSignatures() bool { return len(s.signatures.labels) > 0 }

// Environment is the environment of this process, for ReadSettings.
func Environment() map[string]string {
	found := map[string]string{}
	for _, one := range os.Environ() {
		if name, value, ok := strings.Cut(one, "="); ok {
			found[name] = value
		}
	}
	return found
}

// ReadSettings reads the TOUCHMARK_ settings of a map such as [Environment]; README.md lists them. Other
// names may stand in it.
//
// Its error is a *SettingsError. A setting that is there and empty is refused: empty text most often
// comes from a variable that was meant to be set, and would turn a check off. So is a name that is a
// letter or two from a setting's. Every other unknown name that begins with TOUCHMARK_ gets a warning
// in the guard's log.
func ReadSettings(source map[string]string) (*Settings, error) {
	reader := settingsReader{source: source}
	settings := &Settings{}
	reader.names(settings)
	reader.policy(settings)
	reader.secrets(settings)
	reader.sources(settings)
	reader.otherMakers(settings)
	reader.signed(settings)
	if reader.err == nil && settings.mode != Off && len(settings.keys) == 0 && settings.jwks == "" {
		reader.refuse(setSecret, "is not set, nor is %s: an operator gets the secret with 'touchmark secret get --format env'", setJWKS)
	}
	if reader.err != nil {
		return nil, reader.err
	}
	return settings, nil
}

// settingsReader keeps the first error; after it, what it reads does not matter.
type settingsReader struct {
	source map[string]string
	err    error
}

func (r *settingsReader) refuse(setting, format string, arguments ...any) {
	if r.err == nil {
		r.err = refuse(setting, format, arguments...)
	}
}

// given is a setting's text, and whether it is set.
func (r *settingsReader) given(name string) (string, bool) {
	value, found := r.source[name]
	if found && strings.TrimSpace(value) == "" {
		r.refuse(name, "is empty: leave it out, or give it a value")
	}
	return value, found
}

// listed are the words between commas. An empty one stays, and is refused as what it should be.
func (r *settingsReader) listed(name string) []string {
	value, found := r.given(name)
	if !found {
		return nil
	}
	words := strings.Split(value, ",")
	for at, word := range words {
		words[at] = strings.TrimSpace(word)
	}
	return words
}

// names looks for typing errors: TOUCHMARK_MOD=report must not be taken for no mode at all.
func (r *settingsReader) names(settings *Settings) {
	var unknown []string
	for name := range r.source {
		if !contains(allSettings, name) && !contains(settingsOfOthers, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		folded := strings.ReplaceAll(strings.ToUpper(name), "-", "_")
		apart, meant := nearest(folded)
		if apart <= typingError {
			r.refuse(clipped(name, 60), "is not a setting: did you mean %s?", meant)
		}
		if strings.HasPrefix(folded, "TOUCHMARK") {
			settings.warnings = append(settings.warnings, fmt.Sprintf(
				"%s is not a setting of the token check, and nothing reads it; the nearest is %s", shown(name), meant))
		}
	}
}

func nearest(name string) (int, string) {
	best, meant := -1, ""
	for _, one := range allSettings {
		if apart := distance(name, one); best < 0 || apart < best {
			best, meant = apart, one
		}
	}
	return best, meant
}

// distance is how many letters must be put in, taken out, changed, or swapped with their neighbour, to
// make one of the other; exact up to what counts as a typing error, and more than that beyond.
func distance(one, other string) int {
	if apart := len(one) - len(other); apart > typingError || -apart > typingError {
		return typingError + 1 + abs(apart)
	}
	var before, last []int
	row := make([]int, len(other)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(one); i++ {
		last, before, row = before, row, make([]int, len(other)+1)
		row[0] = i
		for j := 1; j <= len(other); j++ {
			changed := before[j-1]
			if one[i-1] != other[j-1] {
				changed++
			}
			row[j] = least(changed, before[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && one[i-1] == other[j-2] && one[i-2] == other[j-1] {
				row[j] = least(row[j], last[j-2]+1)
			}
		}
	}
	return row[len(other)]
}

func abs(number int) int {
	if number < 0 {
		return -number
	}
	return number
}

func least(first int, others ...int) int {
	for _, one := range others {
		if one < first {
			first = one
		}
	}
	return first
}

// policy reads what is asked of a token, and what becomes of a request without a valid one.
func (r *settingsReader) policy(settings *Settings) {
	settings.mode = Enforce
	if value, found := r.given(setMode); found {
		// A typing error must not turn the check off.
		if settings.mode = Mode(value); !settings.mode.isOne() {
			r.refuse(setMode, "is %s: use 'enforce', 'report' or 'off'", shown(value))
		}
	}
	settings.percent = 100
	if value, found := r.given(setPercent); found {
		if !percentPattern.MatchString(value) {
			r.refuse(setPercent, "is %s: use a whole number from 0 to 100", shown(value))
		}
		settings.percent, _ = strconv.Atoi(value) // of at most three digits
	}
	settings.header = defaultHeader
	if value, found := r.given(setHeader); found {
		r.checkHeaderName(setHeader, value)
		settings.header = value
	}
	if settings.prefix, _ = r.given(setPrefix); !isPrintableASCII(settings.prefix) {
		r.refuse(setPrefix, "is %s, which cannot stand in a header: use printable ASCII", shown(settings.prefix))
	}
	settings.demands.binding = r.headers(setBinding, settings.header)
	settings.audience = r.claim(setAudience)
	settings.issuer = r.claim(setIssuer)
	if value, found := r.given(setLevel); found {
		if settings.demands.level = levelOf(value); settings.demands.level == AnyLevel {
			r.refuse(setLevel, "is %s: use 'software', 'platform', 'tee' or 'secure-chip'", shown(value))
		}
	}
	if value, found := r.given(setLeeway); found {
		seconds, err := strconv.ParseFloat(value, 64)
		if !secondsPattern.MatchString(value) || err != nil || seconds > maxLeeway {
			r.refuse(setLeeway, "is %s: a leeway is a number of seconds from 0 to %d", shown(value), maxLeeway)
		}
		settings.leeway = seconds
	}
}

func (r *settingsReader) checkHeaderName(setting, name string) {
	if !tokenPattern.MatchString(name) {
		r.refuse(setting, "is %s, which cannot be the name of a header: use letters, digits and '-'", shown(name))
	}
}

func (r *settingsReader) headers(setting, tokenHeader string) []string {
	names := r.listed(setting)
	if err := checkBinding(setting, names, tokenHeader); err != nil && r.err == nil {
		r.err = err
	}
	return names
}

// checkBinding gives a nil error, and not a nil *SettingsError.
func checkBinding(setting string, names []string, tokenHeader string) error {
	for at, name := range names {
		if !tokenPattern.MatchString(name) {
			return refuse(setting, "is %s, which cannot be the name of a header: use letters, digits and '-'", shown(name))
		}
		for _, before := range names[:at] {
			if strings.EqualFold(name, before) {
				return refuse(setting, "names %s twice: name it once", shown(name))
			}
		}
		if strings.EqualFold(name, tokenHeader) {
			return refuse(setting, "names the header of the token, and no token is bound to itself: name another")
		}
	}
	return nil
}

func (r *settingsReader) claim(setting string) string {
	value, _ := r.given(setting)
	for _, letter := range value {
		if !unicode.IsPrint(letter) {
			r.refuse(setting, "is %s: take out what is not printable", shown(value))
		}
	}
	return value
}

func isPrintableASCII(text string) bool {
	for _, letter := range []byte(text) {
		if (letter < ' ' && letter != '\t') || letter > '~' {
			return false
		}
	}
	return true
}

func (r *settingsReader) secrets(settings *Settings) {
	for _, text := range r.listed(setSecret) {
		id, secret := r.secret(setSecret, text)
		settings.keys = append(settings.keys, &key{"HS256", id, secret, decoySecret(secret)})
	}
	decoys := r.listed(setDecoySecret)
	if len(decoys) > 0 && len(decoys) != len(settings.keys) {
		r.refuse(setDecoySecret, "has %d secrets, and %s has %d: give each its decoy secret, in the same order",
			len(decoys), setSecret, len(settings.keys))
		return
	}
	for at, text := range decoys {
		id, decoy := r.secret(setDecoySecret, text)
		if own := settings.keys[at].id; (id == nil) != (own == nil) || id != nil && *id != *own {
			r.refuse(setDecoySecret, "has another kid than %s in place %d: give each decoy secret its secret's", setSecret, at+1)
		}
		settings.keys[at].decoy = decoy
	}
	for _, one := range settings.keys {
		for _, other := range settings.keys {
			if string(one.decoy) != string(other.material.([]byte)) {
				continue
			}
			if len(decoys) > 0 {
				r.refuse(setDecoySecret, "has one of the token secrets: a decoy needs a secret of its own")
			}
			r.refuse(setSecret, "has the decoy secret of another one: leave the decoy secret out")
		}
	}
}

// secret reads `base64` or `kid:base64`.
func (r *settingsReader) secret(setting, text string) (*string, []byte) {
	var id *string
	if before, after, found := strings.Cut(text, ":"); found {
		if !kidPattern.MatchString(before) {
			r.refuse(setting, "has a kid that is none: use 1 to 64 of A-Z a-z 0-9 . _ ~ -")
		}
		id, text = &before, after
	}
	return id, r.decode(setting, text, base64.StdEncoding,
		"is not base64: copy it as 'touchmark secret get' prints it, with every '='")
}

// decode takes the one spelling that an encoder writes. Go's decoder passes over line ends.
func (r *settingsReader) decode(setting, text string, encoding *base64.Encoding, problem string) []byte {
	if text == "" {
		r.refuse(setting, "names an empty secret: take out the comma beside it")
	}
	found, err := encoding.DecodeString(text)
	if err != nil || encoding.EncodeToString(found) != text {
		r.refuse(setting, "%s", problem)
	} else if len(found) < minSecretBytes {
		r.refuse(setting, "holds a secret of %d bytes: %d are needed at least", len(found), minSecretBytes)
	}
	return found
}

// sources reads what is beyond this process: a JWKS and a store.
func (r *settingsReader) sources(settings *Settings) {
	settings.jwks = r.location(setJWKS)
	settings.store = r.store(setSingleUse)
	settings.demands.singleUse = settings.store != ""
	if value, found := r.given(setReplayFailure); found {
		settings.failOpen = value == "open"
		if value != "open" && value != "closed" {
			r.refuse(setReplayFailure, "is %s: use 'closed' or 'open'", shown(value))
		}
	}
}

// store reads "memory", or where Redis is.
func (r *settingsReader) store(setting string) string {
	value, found := r.given(setting)
	if found && value != "memory" && !isRedis(value) {
		r.refuse(setting, "is %s: use 'memory' or redis://HOST[:PORT][/DB]", shown(withoutPassword(value)))
	}
	return value
}

// withoutPassword is for a URL that is about to be shown.
func withoutPassword(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		return "…" + text[at:]
	}
	return text
}

func isRedis(text string) bool {
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "redis" || at.Hostname() == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" {
		return false
	}
	if port := at.Port(); port != "" || strings.HasSuffix(at.Host, ":") {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return false
		}
	}
	database := strings.TrimPrefix(at.Path, "/")
	if database == "" {
		return at.Path == ""
	}
	_, err = strconv.ParseUint(database, 10, 31)
	return err == nil
}

// location reads the URL or path of a JWKS.
func (r *settingsReader) location(setting string) string {
	value, _ := r.given(setting)
	if !strings.Contains(value, "://") {
		return value
	}
	at, err := url.Parse(value)
	if err != nil || at.Hostname() == "" {
		r.refuse(setting, "is %s, which is no URL", shown(withoutPassword(value)))
	} else if !isTrusted(at) {
		r.refuse(setting, "is %s: use https://, or a path; http:// is for loopback alone", shown(withoutPassword(value)))
	}
	return value
}

// isTrusted says whether keys may come from there: nobody between can put in their own.
func isTrusted(at *url.URL) bool {
	if at.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(at.Hostname())
	return at.Scheme == "http" && (at.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (r *settingsReader) otherMakers(settings *Settings) {
	for _, text := range r.listed(setApproovSecret) {
		// In the four spellings that there are: its command line prints one, its examples have others.
		text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
		encoding := base64.RawURLEncoding
		if strings.HasSuffix(text, "=") {
			encoding = base64.URLEncoding
		}
		secret := r.decode(setApproovSecret, text, encoding, "is neither base64 nor base64url")
		settings.approov = append(settings.approov, &key{algorithm: "HS256", material: secret})
	}
	settings.approovBound = r.headers(setApproovBinding, approovHeader)
	if len(settings.approovBound) > 0 && len(settings.approov) == 0 {
		r.refuse(setApproovBinding, "is set, and %s is not", setApproovSecret)
	}
	if value, found := r.given(setFirebaseProject); found {
		if !projectPattern.MatchString(value) {
			r.refuse(setFirebaseProject, "is %s: use the project's number", shown(value))
		}
		settings.project = value
		settings.firebaseJWKS = firebaseKeys
	}
	if location := r.location(setFirebaseJWKS); location != "" {
		if settings.project == "" {
			r.refuse(setFirebaseJWKS, "is set, and %s is not", setFirebaseProject)
		}
		settings.firebaseJWKS = location
	}
}

// signed reads what protocol/request-signatures.md has.
func (r *settingsReader) signed(settings *Settings) {
	of := &settings.signatures
	of.labels = r.listed(setSignatures)
	for at, label := range of.labels {
		if _, known := algorithmOf[label]; !known || contains(of.labels[:at], label) {
			r.refuse(setSignatures, "has %s: use 'install', 'account', or both with a comma", shown(label))
		}
	}
	for _, text := range r.listed(setAccountKey) {
		id, secret := r.secret(setAccountKey, text)
		of.account = append(of.account, &key{algorithm: "HS256", id: id, material: secret})
	}
	if contains(of.labels, labelAccount) && len(of.account) == 0 {
		r.refuse(setAccountKey, "is not set, and %s asks for 'account'", setSignatures)
	}
	of.headers = r.listed(setSigHeaders)
	for _, name := range of.headers {
		r.checkHeaderName(setSigHeaders, name)
	}
	if value, found := r.given(setSigOrigin); found {
		at, err := url.Parse(value)
		if err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || value != strings.ToLower(at.Scheme)+"://"+at.Host {
			r.refuse(setSigOrigin, "is %s: use an origin, such as https://api.example.com", shown(withoutPassword(value)))
		}
		of.origin = strings.ToLower(value)
	}
	of.age = float64(r.whole(setSigAge, 60, 1, maxSignatureAge))
	of.maxBody = r.whole(setSigBody, 1<<20, 0, maxSignatureBody)
	of.nonces = r.store(setSigNonces)
}

func (r *settingsReader) whole(setting string, usual, least, most int64) int64 {
	value, found := r.given(setting)
	if !found {
		return usual
	}
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != value || number < least || number > most {
		r.refuse(setting, "is %s: use a whole number from %d to %d", shown(value), least, most)
	}
	return number
}

// seconds is a time as tokens have it.
func seconds(at time.Time) float64 {
	return float64(at.Unix()) + float64(at.Nanosecond())/1e9
}
