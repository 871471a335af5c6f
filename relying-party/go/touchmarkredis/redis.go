// Package touchmarkredis remembers spent tokens in Redis, for servers of several processes.
//
//	guard, err := touchmark.NewGuard(settings, touchmark.WithReplayStore(touchmarkredis.Open))
package touchmarkredis

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/redis/go-redis/v9"

	"touchmark"
)

const (
	// Every language of Touchmark has the same keys: servers of several may share a Redis.
	prefix = "touchmark:spent:"
	// The guard waits for a second. A lost Redis is to be known as one before that.
	timeout = 500 * time.Millisecond
	// Redis takes no end that is beyond its clock.
	longest = 10 * 365 * 24 * time.Hour
)

type store struct {
	client *redis.Client
}

// Open takes the location that TOUCHMARK_SINGLE_USE names: redis://HOST[:PORT][/DB]. It does not
// connect: whether Redis is there is seen when a token is spent.
func Open(location string) (touchmark.ReplayStore, error) {
	options, err := redis.ParseURL(location)
	if err != nil {
		return nil, err
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = timeout, timeout, timeout, timeout
	options.ContextTimeoutEnabled = true
	// When only the answer was lost, a second try would take its own first one for a replay.
	options.MaxRetries = -1
	return &store{redis.NewClient(options)}, nil
}

func (s *store) Spend(ctx context.Context, id touchmark.SpentID, now, until time.Time) (bool, error) {
	// Redis's own clock: how long is left, and not until when. The check's may differ.
	left := until.Sub(now)
	switch {
	case left > longest:
		left = longest
	case left < time.Millisecond:
		left = time.Millisecond // go-redis takes less than one for none
	}
	// Up to a whole millisecond: a token must not be forgotten while it still counts.
	left = (left + time.Millisecond - 1).Truncate(time.Millisecond)
	return s.client.SetNX(ctx, prefix+hex.EncodeToString(id[:]), 1, left).Result()
}

func (s *store) Close() error { return s.client.Close() }
