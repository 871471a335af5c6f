// Package touchmark lets an API server answer only the genuine mobile app: it checks the Touchmark
// token that each request carries.
//
// A [Guard] is the check with its settings, its mode, its log and its counts, and [Guard.Middleware]
// puts it before any http.Handler. The packages beside this one put it before gin and gRPC.
//
// What each request gets, and why, is in protocol/token-check.md of Touchmark's sources: this package
// is run against its vectors.
package touchmark
