package touchmark

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// How often report mode says what it has counted, while requests come.
	summaryPause = 5 * time.Minute
	shareDomain  = "touchmark share v1"
	// A client may send a path of a megabyte; the log need not have it.
	maxLogged = 200
)

// LogLevel is how much a line of the log matters. Its numbers are those of log/slog.
type LogLevel int

// The levels.
const (
	LogDebug LogLevel = -4
	LogInfo  LogLevel = 0
	LogWarn  LogLevel = 4
)

// Option is a part of a [Guard] that is no setting.
type Option func(*options)

type options struct {
	clock    func() time.Time
	log      func(LogLevel, string)
	accepted bool
	observer func(Decision)
	client   func(*http.Request) string
	http     *http.Client
	open     func(location string) (ReplayStore, error)
}

// WithClock sets the clock; default time.Now.
func WithClock(clock func() time.Time) Option { return func(o *options) { o.clock = clock } }

// WithLog sets where the log goes; default: the standard log package. A line never holds a token or a
// secret, and what a client chose is escaped in it.
func WithLog(log func(level LogLevel, line string)) Option { return func(o *options) { o.log = log } }

// WithAcceptedLogged writes requests with a valid token to the log, too, at LogDebug.
func WithAcceptedLogged() Option { return func(o *options) { o.accepted = true } }

// WithObserver sets what is called with every decision, in the request's own goroutine.
func WithObserver(observer func(Decision)) Option { return func(o *options) { o.observer = observer } }

// WithClient sets how a server behind a proxy knows the client's address; default: the connection's.
func WithClient(client func(*http.Request) string) Option {
	return func(o *options) { o.client = client }
}

// WithHTTPClient sets the client whose transport fetches a JWKS, such as one with roots of its own.
func WithHTTPClient(client *http.Client) Option { return func(o *options) { o.http = client } }

// WithReplayStore sets what opens the store when TOUCHMARK_SINGLE_USE or
// TOUCHMARK_SIGNATURE_NONCES names one beyond this process.
// touchmarkredis.Open is for redis://.
func WithReplayStore(open func(location string) (ReplayStore, error)) Option {
	return func(o *options) { o.open = open }
}

// Settings are those that the guard goes by.
func (g *Guard) Settings() *Settings { return g.verifier.settings }

// Decision is what becomes of a request.
type Decision struct {
	Result
	// Allowed: it is to be served. Otherwise answer with [Refuse].
	Allowed bool
	// Enforced: had its token not been valid, it would have been refused.
	Enforced bool
	// Route is the pattern of its route, never its path; "" when none is known.
	Route string
}

// Preflight says whether it is a CORS preflight, which is served without its answer's body.
func (d *Decision) Preflight() bool { return d.Status == Preflight }

// Count is what requests are counted by.
type Count struct {
	Maker    Maker
	Status   Status
	Reason   Reason
	Enforced bool
	Route    string
}

// Guard decides about each request by its token and the mode. It is for all goroutines to share.
type Guard struct {
	verifier *verifier
	options  options
	counts   sync.Map // pattern to *counts
	whole    *Route
	// When the next summary is due, in nanoseconds since 1970.
	summaryAt atomic.Int64
	said      atomic.Uint64
}

// NewGuard makes a guard. Without settings it reads them from the environment. Its error is a
// *SettingsError, so make it where the server starts. The log then says which mode is on.
func NewGuard(settings *Settings, given ...Option) (*Guard, error) {
	if settings == nil {
		var err error
		if settings, err = ReadSettings(Environment()); err != nil {
			return nil, err
		}
	}
	g := &Guard{options: options{clock: time.Now, log: logLine, observer: func(Decision) {}, client: RemoteHost}}
	for _, one := range given {
		one(&g.options)
	}
	store, err := openStore(setSingleUse, settings.store, g.options.open)
	if err != nil {
		return nil, err
	}
	nonces, err := openStore(setSigNonces, settings.signatures.nonces, g.options.open)
	if err != nil {
		return nil, err
	}
	g.verifier = &verifier{settings: settings, clock: g.options.clock, prefix: newPrefixPattern(settings.prefix), store: store, nonces: nonces}
	g.verifier.jwks = g.source(settings.jwks, setJWKS, "")
	g.verifier.firebase = g.source(settings.firebaseJWKS, setFirebaseJWKS, "RS256")
	g.whole = &Route{guard: g, counts: g.countsOf(""), mode: settings.mode, percent: settings.percent, demands: settings.demands}
	g.summaryAt.Store(g.options.clock().Add(summaryPause).UnixNano())
	for _, warning := range settings.warnings {
		g.options.log(LogWarn, warning)
	}
	g.sayMode()
	return g, nil
}

func openStore(setting, location string, open func(string) (ReplayStore, error)) (ReplayStore, error) {
	if location == "" || location == "memory" {
		return &MemoryReplayStore{}, nil // without a setting, for a route that asks for single use
	}
	if open == nil {
		return nil, refuse(setting, "names Redis: give NewGuard touchmark.WithReplayStore(touchmarkredis.Open)")
	}
	store, err := open(location)
	if err != nil {
		return nil, refuse(setting, "names a store that cannot be used: %s", err)
	}
	return store, nil
}

func (g *Guard) source(location, setting, algorithm string) *jwksSource {
	if location == "" {
		return nil
	}
	return newJWKSSource(location, algorithm, g.options.http, g.options.clock, func(err error) {
		g.options.log(LogWarn, fmt.Sprintf("%s cannot be read, and the keys that are known go on counting: %s",
			setting, shown(err.Error())))
	})
}

func (g *Guard) sayMode() {
	settings := g.verifier.settings
	header := settings.header
	switch {
	case settings.mode == Off:
		g.options.log(LogWarn, "mode off: no token is looked at")
	case settings.mode == Report:
		g.options.log(LogWarn, fmt.Sprintf("report mode: requests without a valid token in %s are served and logged;"+
			" TOUCHMARK_MODE=enforce refuses them", header))
	case settings.percent < 100:
		g.options.log(LogWarn, fmt.Sprintf("enforce mode for %d %% of devices: their requests without a valid token in %s"+
			" get 401, and those of others are served and logged", settings.percent, header))
	default:
		g.options.log(LogInfo, fmt.Sprintf("enforce mode: requests without a valid token in %s get 401", header))
	}
}

func logLine(_ LogLevel, line string) { log.Print("touchmark: " + line) }

// Check decides about one request. `route` is nil for what the settings ask for.
func (g *Guard) Check(ctx context.Context, request Request, route *Route) Decision {
	if route == nil {
		route = g.whole
	}
	decision := Decision{Result: result(MakerTouchmark, ReasonOff), Allowed: true, Route: route.pattern}
	if route.mode != Off {
		decision.Result = g.verifier.check(ctx, request, route.demands)
		decision.Enforced = route.enforces(decision.Device, request.Client)
		decision.Allowed = decision.Status.Served() || !decision.Enforced
	}
	route.counts.add(&decision)
	g.say(&decision, request)
	g.options.observer(decision)
	return decision
}

func (r *Route) enforces(device, client string) bool {
	if device == "" {
		device = client
	}
	switch {
	case r.mode != Enforce || r.percent == 0:
		return false
	case r.percent == 100 || device == "":
		return true
	}
	digest := sha256.Sum256([]byte(shareDomain + device))
	return binary.BigEndian.Uint32(digest[:])%100 < uint32(r.percent)
}

// counts are those of one pattern: by maker, reason, and whether it was enforced.
type counts [len(makers)][len(reasons)][2]atomic.Uint64

func (g *Guard) countsOf(pattern string) *counts {
	found, known := g.counts.Load(pattern)
	if !known {
		found, _ = g.counts.LoadOrStore(pattern, new(counts))
	}
	return found.(*counts)
}

func (c *counts) add(decision *Decision) {
	maker, enforced := 0, 0
	for makers[maker] != decision.Maker {
		maker++
	}
	if decision.Enforced {
		enforced = 1
	}
	c[maker][placeOf[decision.Reason]][enforced].Add(1)
}

// Counts tells how many requests there were of each kind since the guard was made. Those of another
// status than the served ones, and that were not enforced, are what enforcing would have refused.
func (g *Guard) Counts() map[Count]uint64 {
	found := map[Count]uint64{}
	g.counts.Range(func(pattern, of any) bool {
		for maker := range makers {
			for place, one := range reasons {
				for enforced := range [2]int{} {
					if number := of.(*counts)[maker][place][enforced].Load(); number > 0 {
						found[Count{makers[maker], one.status, one.reason, enforced == 1, pattern.(string)}] = number
					}
				}
			}
		}
		return true
	})
	return found
}

// Summary is the counts as a line of a log: "of 12 requests 9 had a valid token, 2 were refused, and 1
// would be: 2 missing, 1 expired".
func (g *Guard) Summary() string {
	var valid, refused, reported, all uint64
	kinds := map[Status]uint64{}
	for of, number := range g.Counts() {
		switch {
		case of.Status == Valid:
			valid += number
		case of.Status.Served():
			continue
		case of.Enforced:
			refused += number
			kinds[of.Status] += number
		default:
			reported += number
			kinds[of.Status] += number
		}
		all += number
	}
	line := fmt.Sprintf("of %s %d had a valid token, %s refused, and %d would be", counted(all, "request"), valid,
		wereCounted(refused), reported)
	var parts []string
	for status, number := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", number, status))
	}
	sort.Strings(parts)
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return line
}

func counted(number uint64, what string) string {
	if number == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", number, what)
}

func wereCounted(number uint64) string {
	if number == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", number)
}

func (g *Guard) say(decision *Decision, request Request) {
	level, said := LogWarn, "would refuse"
	switch {
	case decision.Status == Preflight || decision.Status == Unchecked:
		return
	case decision.Status == Valid && decision.Detail == "":
		level, said = LogDebug, "accepted"
	case decision.Status == Valid:
		said = "accepted"
	case !decision.Allowed:
		said = "refused"
	}
	if level != LogDebug || g.options.accepted {
		g.options.log(level, said+" "+describe(decision, request))
	}
	if !decision.Enforced {
		g.summariseNowAndThen()
	}
}

// describe is one line without the token. What the client chose is escaped: it must not start a new
// line.
func describe(decision *Decision, request Request) string {
	method := request.Method
	if !tokenPattern.MatchString(method) {
		method = strconv.QuoteToASCII(method)
	}
	line := clipped(method, maxLogged)
	if request.Path != "" {
		line += " " + clipped(strconv.QuoteToASCII(request.Path), maxLogged)
	}
	if request.Client != "" {
		line += " from " + clipped(strings.Trim(strconv.QuoteToASCII(request.Client), `"`), maxLogged)
	}
	line += fmt.Sprintf(": %s (%s)", decision.Status, decision.Reason)
	if decision.Detail != "" {
		line += ", " + decision.Detail
	}
	if decision.Maker != MakerTouchmark {
		line += " maker=" + string(decision.Maker)
	}
	if decision.Device != "" {
		line += " did=" + clipped(strconv.QuoteToASCII(decision.Device), maxLogged)
	}
	if decision.Fingerprint != "" {
		line += " token-sha256=" + decision.Fingerprint
	}
	return line
}

func (g *Guard) summariseNowAndThen() {
	now := g.options.clock()
	due := g.summaryAt.Load()
	if now.UnixNano() >= due && g.summaryAt.CompareAndSwap(due, now.Add(summaryPause).UnixNano()) {
		g.summarise()
	}
}

func (g *Guard) summarise() {
	var all uint64
	for _, number := range g.Counts() {
		all += number
	}
	if g.said.Swap(all) != all {
		g.options.log(LogWarn, g.Summary())
	}
}

// Close says what was counted, when requests were served that would have been refused, and lets go of
// the store. Call it when the server has ended.
func (g *Guard) Close() error {
	for of := range g.Counts() {
		if !of.Enforced && !of.Status.Served() {
			g.summarise()
			break
		}
	}
	err := g.verifier.store.Close()
	if problem := g.verifier.nonces.Close(); err == nil {
		err = problem
	}
	return err
}

var _ io.Closer = (*Guard)(nil)
