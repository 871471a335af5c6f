package touchmark

// Status is what a request turned out to be, in a word.
type Status string

// The statuses. Only Valid, Preflight and Unchecked are served by a check that enforces.
const (
	Valid       Status = "valid"
	Preflight   Status = "preflight"
	Unchecked   Status = "unchecked"
	Missing     Status = "missing"
	Malformed   Status = "malformed"
	Forged      Status = "forged"
	Invalid     Status = "invalid"
	Expired     Status = "expired"
	Early       Status = "early"
	Misdirected Status = "misdirected"
	Weak        Status = "weak"
	Unbound     Status = "unbound"
	Unsigned    Status = "unsigned"
	Replayed    Status = "replayed"
	Unavailable Status = "unavailable"
)

// Served says whether a check that enforces serves such a request.
func (s Status) Served() bool {
	return s == Valid || s == Preflight || s == Unchecked
}

// Reason is the row of the contract's table that decided about a request.
type Reason string

// The reasons, in the order of the checks.
const (
	ReasonOff               Reason = "off"
	ReasonPreflight         Reason = "preflight"
	ReasonNoToken           Reason = "no-token"
	ReasonTwoTokens         Reason = "two-tokens"
	ReasonWrongPrefix       Reason = "wrong-prefix"
	ReasonTooLong           Reason = "too-long"
	ReasonNotCompact        Reason = "not-compact"
	ReasonBadHeader         Reason = "bad-header"
	ReasonUnknownExtension  Reason = "unknown-extension"
	ReasonBadKid            Reason = "bad-kid"
	ReasonBadPayload        Reason = "bad-payload"
	ReasonWrongAlgorithm    Reason = "wrong-algorithm"
	ReasonNoKeys            Reason = "no-keys"
	ReasonUnknownKey        Reason = "unknown-key"
	ReasonDecoy             Reason = "decoy"
	ReasonBadSignature      Reason = "bad-signature"
	ReasonNoExp             Reason = "no-exp"
	ReasonExpired           Reason = "expired"
	ReasonBadNbf            Reason = "bad-nbf"
	ReasonNotYetValid       Reason = "not-yet-valid"
	ReasonWrongIssuer       Reason = "wrong-issuer"
	ReasonWrongAudience     Reason = "wrong-audience"
	ReasonLowLevel          Reason = "low-level"
	ReasonNoBoundHeader     Reason = "no-bound-header"
	ReasonWrongPay          Reason = "wrong-pay"
	ReasonNoSignature       Reason = "no-signature"
	ReasonBadSignatureInput Reason = "bad-signature-input"
	ReasonLowCoverage       Reason = "low-coverage"
	ReasonBadSignatureTime  Reason = "bad-signature-time"
	ReasonNoNonce           Reason = "no-nonce"
	ReasonNoSigningKey      Reason = "no-signing-key"
	ReasonWrongDigest       Reason = "wrong-digest"
	ReasonWrongSignature    Reason = "wrong-signature"
	ReasonNonceReplayed     Reason = "nonce-replayed"
	ReasonNoJti             Reason = "no-jti"
	ReasonNoReplayStore     Reason = "no-replay-store"
	ReasonReplayed          Reason = "replayed"
	ReasonOK                Reason = "ok"
)

// reasons has every reason with its status. What is counted goes by the place in it.
var reasons = [...]struct {
	reason Reason
	status Status
}{
	{ReasonOff, Unchecked},
	{ReasonPreflight, Preflight},
	{ReasonNoToken, Missing},
	{ReasonTwoTokens, Malformed},
	{ReasonWrongPrefix, Malformed},
	{ReasonTooLong, Malformed},
	{ReasonNotCompact, Malformed},
	{ReasonBadHeader, Malformed},
	{ReasonUnknownExtension, Malformed},
	{ReasonBadKid, Malformed},
	{ReasonBadPayload, Malformed},
	{ReasonWrongAlgorithm, Forged},
	{ReasonNoKeys, Unavailable},
	{ReasonUnknownKey, Forged},
	{ReasonDecoy, Invalid},
	{ReasonBadSignature, Forged},
	{ReasonNoExp, Malformed},
	{ReasonExpired, Expired},
	{ReasonBadNbf, Malformed},
	{ReasonNotYetValid, Early},
	{ReasonWrongIssuer, Misdirected},
	{ReasonWrongAudience, Misdirected},
	{ReasonLowLevel, Weak},
	{ReasonNoBoundHeader, Unbound},
	{ReasonWrongPay, Unbound},
	{ReasonNoSignature, Unsigned},
	{ReasonBadSignatureInput, Unsigned},
	{ReasonLowCoverage, Unsigned},
	{ReasonBadSignatureTime, Unsigned},
	{ReasonNoNonce, Unsigned},
	{ReasonNoSigningKey, Unsigned},
	{ReasonWrongDigest, Unsigned},
	{ReasonWrongSignature, Unsigned},
	{ReasonNonceReplayed, Replayed},
	{ReasonNoJti, Replayed},
	{ReasonNoReplayStore, Unavailable},
	{ReasonReplayed, Replayed},
	{ReasonOK, Valid},
}

var placeOf = func() map[Reason]int {
	places := make(map[Reason]int, len(reasons))
	for place, one := range reasons {
		places[one.reason] = place
	}
	return places
}()

func statusOf(reason Reason) Status { return reasons[placeOf[reason]].status }

// Maker is whose token a request was judged by.
type Maker string

// The makers of tokens. A request without a token is judged as one of Touchmark's.
const (
	MakerTouchmark Maker = "touchmark"
	MakerApproov   Maker = "approov"
	MakerFirebase  Maker = "firebase"
)

var makers = [...]Maker{MakerTouchmark, MakerApproov, MakerFirebase}

// Level is how well a phone's hardware vouches for the app: the claim lvl. Each is more than the one
// before.
type Level int

// The levels. AnyLevel asks for none.
const (
	AnyLevel Level = iota
	Software
	Platform
	TEE
	SecureChip
)

var levelNames = [...]string{"", "software", "platform", "tee", "secure-chip"}

// String is the level's name in a token and in the settings.
func (l Level) String() string {
	if l < AnyLevel || l > SecureChip {
		return "unknown"
	}
	return levelNames[l]
}

// levelOf is the level of a name; AnyLevel, which is less than each of them, for what is none.
func levelOf(name string) Level {
	for level := Software; level <= SecureChip; level++ {
		if levelNames[level] == name {
			return level
		}
	}
	return AnyLevel
}

// Mode is what becomes of a request whose token is not valid.
type Mode string

// The modes.
const (
	// Enforce refuses it with 401.
	Enforce Mode = "enforce"
	// Report serves it; log and counts say that it would have been refused.
	Report Mode = "report"
	// Off does not look at tokens.
	Off Mode = "off"
)

func (m Mode) isOne() bool {
	return m == Enforce || m == Report || m == Off
}

// Result is what the check of a request found.
type Result struct {
	Maker  Maker
	Status Status
	Reason Reason
	// Claims is nil unless one of the configured keys, or a decoy secret, signed them. Numbers are
	// float64, as encoding/json has them.
	Claims map[string]any
	// Device is the claim did of such a token; "" when it has none.
	Device string
	// Fingerprint is the first 12 hexadecimal digits of the SHA-256 of a token that is not valid; "" when
	// there is no one token. A log may have it, and never the token.
	Fingerprint string
	// Detail is more for a log, where there is more to say than the reason. It holds nothing that a
	// client chose.
	Detail string
}
