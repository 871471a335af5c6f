//go:build go1.23

package touchmark

import "net/http"

// patternOf is the pattern that http.ServeMux found the handler by, where it says it.
func patternOf(r *http.Request) string { return r.Pattern }
