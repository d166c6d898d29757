package awsapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// unhost turns S3's virtual-hosted form, in which the bucket is the first
// part of the host name, into the path form. It must come after the signature
// was verified, which covers the path as it was sent.
func unhost(r *http.Request) {
	bucket := bucketOfHost(r.Host)
	if bucket == "" {
		return
	}
	r.URL.Path = "/" + bucket + r.URL.Path
	if r.URL.RawPath != "" {
		r.URL.RawPath = "/" + bucket + r.URL.RawPath
	}
}

// bucketOfHost reads bucket.s3.amazonaws.com, bucket.s3.region.amazonaws.com,
// bucket.s3-region.amazonaws.com and bucket.localhost; "" for other hosts.
func bucketOfHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if bucket, ok := strings.CutSuffix(host, ".localhost"); ok {
		return strings.TrimSuffix(strings.TrimSuffix(bucket, "s3"), ".")
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if bucket, rest, ok := strings.Cut(host, mark); ok && strings.HasSuffix(rest, "amazonaws.com") {
			return bucket
		}
	}
	return ""
}
