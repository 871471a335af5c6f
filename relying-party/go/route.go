package touchmark

import "sync"

// Route is what one route asks for. [Guard.Route] makes it.
type Route struct {
	guard   *Guard
	counts  *counts
	named   *sync.Map // of patterns, to *Route
	pattern string
	mode    Mode
	percent int
	demands demands
}

// RouteOption is something that a route asks for otherwise than the settings.
type RouteOption func(*Guard, *Route) error

// Route makes what a route asks for: the settings, with the options in place of theirs. Its error is a *SettingsError.
func (g *Guard) Route(given ...RouteOption) (*Route, error) {
	route := *g.whole
	for _, one := range given {
		if err := one(g, &route); err != nil {
			return nil, err
		}
	}
	if len(g.verifier.settings.keys) == 0 && g.verifier.jwks == nil && route.mode != Off {
		return nil, refuse(setSecret, "is not set, and a route asks for the mode %s", route.mode)
	}
	route.counts, route.named = g.countsOf(route.pattern), new(sync.Map)
	return &route, nil
}

// Named is the same route with the pattern that a framework knows, unless it has one already. Each
// pattern is kept: it must not be something that a client chose.
func (r *Route) Named(pattern string) *Route {
	if r.pattern != "" || pattern == "" {
		return r
	}
	if found, known := r.named.Load(pattern); known {
		return found.(*Route)
	}
	named := *r
	named.pattern, named.counts = pattern, r.guard.countsOf(pattern)
	found, _ := r.named.LoadOrStore(pattern, &named)
	return found.(*Route)
}

// Pattern names the route in log and metrics, such as "/v2/rates/{currency}". Never give a path that a
// client chose: each would be counted by itself.
func Pattern(pattern string) RouteOption {
	return func(_ *Guard, route *Route) error {
		route.pattern = pattern
		return nil
	}
}

// InMode is for a route with a mode of its own.
func InMode(mode Mode) RouteOption {
	return func(_ *Guard, route *Route) error {
		if !mode.isOne() {
			return refuse("InMode", "is %s: use Enforce, Report or Off", shown(string(mode)))
		}
		route.mode = mode
		return nil
	}
}

// ForPercent enforces for a share of devices, from 0 to 100, and reports for the rest.
func ForPercent(percent int) RouteOption {
	return func(_ *Guard, route *Route) error {
		if percent < 0 || percent > 100 {
			return refuse("ForPercent", "is %d: use a whole number from 0 to 100", percent)
		}
		route.percent = percent
		return nil
	}
}

// RequireLevel asks for a level of assurance.
func RequireLevel(level Level) RouteOption {
	return func(_ *Guard, route *Route) error {
		if level < AnyLevel || level > SecureChip {
			return refuse("RequireLevel", "is %d: use AnyLevel, Software, Platform, TEE or SecureChip", int(level))
		}
		route.demands.level = level
		return nil
	}
}

// BoundTo asks for a token that is bound to the values of these headers, in this order; without any,
// for none.
func BoundTo(headers ...string) RouteOption {
	return func(g *Guard, route *Route) error {
		route.demands.binding = append([]string(nil), headers...)
		return checkBinding("BoundTo", headers, g.verifier.settings.header)
	}
}

// SpendToken asks for a token that was not spent, and spends it; or, with false, for neither. When
// TOUCHMARK_SINGLE_USE names no store, it is the memory of this process.
func SpendToken(spend bool) RouteOption {
	return func(_ *Guard, route *Route) error {
		route.demands.singleUse = spend
		return nil
	}
}
