// Package touchmarkprom shows the counts of a guard to Prometheus.
//
//	prometheus.MustRegister(touchmarkprom.NewCollector(guard))
package touchmarkprom

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"touchmark"
)

var requests = prometheus.NewDesc("touchmark_requests_total", "Requests by what the check of their token found.",
	[]string{"maker", "status", "reason", "enforced", "route"}, nil)

type collector struct {
	guard *touchmark.Guard
}

// NewCollector is the counter touchmark_requests_total of a guard. It reads what the guard counts, and
// counts nothing itself.
func NewCollector(guard *touchmark.Guard) prometheus.Collector { return collector{guard} }

func (c collector) Describe(to chan<- *prometheus.Desc) { to <- requests }

func (c collector) Collect(to chan<- prometheus.Metric) {
	for of, number := range c.guard.Counts() {
		to <- prometheus.MustNewConstMetric(requests, prometheus.CounterValue, float64(number), string(of.Maker),
			string(of.Status), string(of.Reason), strconv.FormatBool(of.Enforced), of.Route)
	}
}
