package check

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/butai-dev/butai/internal/release/plan"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure,omitempty"`
	Skipped *junitDetail `xml:"skipped,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
}

// JUnit writes results as CI systems read them. What was inconclusive is
// skipped.
func JUnit(w io.Writer, name string, results []plan.Result) error {
	s := junitSuite{Name: name, Tests: len(results)}
	total := 0.0
	for _, r := range results {
		c := junitCase{Name: r.Name, Class: name, Time: fmt.Sprintf("%.3f", r.Seconds)}
		total += r.Seconds
		switch r.Verdict {
		case plan.Failed:
			s.Failures++
			c.Failure = &junitDetail{r.Detail}
		case plan.Inconclusive:
			s.Skipped++
			c.Skipped = &junitDetail{r.Detail}
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = fmt.Sprintf("%.3f", total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
