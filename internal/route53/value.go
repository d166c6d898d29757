package route53

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/butai-dev/butai/internal/api/route53api"
)

// checkValue looks at one value of a record by the rules of its type
// (Developer Guide: "Supported DNS record types"); it returns what is wrong.
func checkValue(kind, value string) string {
	invalid := func(problem string) string {
		return fmt.Sprintf("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", problem, value)
	}
	switch kind {
	case route53api.RRTypeA:
		if addr, err := netip.ParseAddr(value); err != nil || !addr.Is4() {
			return invalid("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")
		}
	case route53api.RRTypeAAAA:
		if addr, err := netip.ParseAddr(value); err != nil || !addr.Is6() {
			return invalid("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)")
		}
	case route53api.RRTypeTXT, route53api.RRTypeSPF:
		if !strings.HasPrefix(value, `"`) || !strings.HasSuffix(value, `"`) || len(value) < 2 {
			return invalid("InvalidCharacterString (Value should be enclosed in quotation marks)")
		}
	case route53api.RRTypeMX:
		fields := strings.Fields(value)
		if len(fields) != 2 {
			return invalid("MXRRDATANotTwoFields (Value must contain two fields)")
		}
		if _, err := strconv.ParseUint(fields[0], 10, 16); err != nil {
			return invalid("MXRRDATAIllegalPriority (Value must be a number from 0 to 65535)")
		}
	case route53api.RRTypeCNAME, route53api.RRTypeNS, route53api.RRTypePTR:
		if value == "" || strings.ContainsAny(value, " \t") {
			return invalid("DomainNameContainsInvalidCharacters")
		}
	}
	return ""
}
