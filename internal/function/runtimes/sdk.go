package runtimes

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pythonSDKParts are boto3 and what it stands on, as distribution name (with
// "_" for "-") and module. All are plain Python, so one copy serves every
// version that its metadata allows.
var pythonSDKParts = []struct{ distribution, module string }{
	{"boto3", "boto3"}, {"botocore", "botocore"}, {"s3transfer", "s3transfer"},
	{"jmespath", "jmespath"}, {"python_dateutil", "dateutil"}, {"six", "six.py"}, {"urllib3", "urllib3"},
}

// oldestPythonSDK is the first boto3 that reads AWS_ENDPOINT_URL, which leads
// functions to this server ("Service-specific endpoints" of the AWS SDKs and
// Tools guide). An older one, such as Debian 12's, would call AWS itself.
const oldestPythonSDK = "1.28"

// pythonSDK is a copy of boto3 in some interpreter's library.
type pythonSDK struct {
	dir      string   // site-packages
	version  string   // boto3's
	paths    []string // modules to offer
	requires []string // Requires-Python of every part that says so
}

func (s pythonSDK) tooOld() bool {
	return compareVersions(numbers(s.version), numbers(oldestPythonSDK)) < 0
}

func (s pythonSDK) fits(python []int) bool {
	for _, r := range s.requires {
		if !satisfies(python, r) {
			return false
		}
	}
	return true
}

// pythonLibraries are patterns of the folders that Python packages are
// installed in, those of an active virtual environment first.
func (p places) pythonLibraries() (patterns []string) {
	for _, dir := range p.path {
		if filepath.IsAbs(dir) {
			patterns = append(patterns, filepath.Join(filepath.Dir(dir), "lib/python*/site-packages"))
		}
	}
	return append(patterns,
		filepath.Join(p.pyenvRoot, "versions/*/lib/python*/site-packages"),
		p.system+"/usr/lib/python*/dist-packages", p.system+"/usr/local/lib/python*/dist-packages",
		p.system+"/usr/local/lib/python*/site-packages", p.system+"/opt/homebrew/lib/python*/site-packages",
		p.system+"/usr/lib/python*/site-packages",
		filepath.Join(p.home, ".local/lib/python*/site-packages"),
		filepath.Join(p.home, ".local/share/uv/python/*/lib/python*/site-packages"),
		filepath.Join(p.home, ".asdf/installs/python/*/lib/python*/site-packages"))
}

// pythonSDKs finds the copies on this host, newest boto3 first.
func (p places) pythonSDKs() []pythonSDK {
	var dirs []string
	for _, pattern := range p.pythonLibraries() {
		names, err := filepath.Glob(filepath.Join(pattern, "boto3"))
		if err != nil {
			continue
		}
		for _, name := range names {
			dirs = append(dirs, filepath.Dir(name))
		}
	}
	var out []pythonSDK
	for _, dir := range dirs {
		if sdk, ok := readPythonSDK(dir); ok {
			out = append(out, sdk)
		}
	}
	slices.SortStableFunc(out, func(a, b pythonSDK) int { return compareVersions(numbers(b.version), numbers(a.version)) })
	return out
}

// readPythonSDK takes stock of one library folder; a copy that lacks a part
// other than six (which newer ones don't need) is no use.
func readPythonSDK(dir string) (pythonSDK, bool) {
	sdk := pythonSDK{dir: dir}
	for _, part := range pythonSDKParts {
		path := filepath.Join(dir, part.module)
		if _, err := os.Stat(path); err != nil {
			if part.module == "six.py" {
				continue
			}
			return sdk, false
		}
		sdk.paths = append(sdk.paths, path)
		version, requires := readMetadata(dir, part.distribution)
		if part.module == "boto3" {
			sdk.version = version
		}
		if requires != "" {
			sdk.requires = append(sdk.requires, requires)
		}
	}
	return sdk, sdk.version != ""
}

// readMetadata returns Version and Requires-Python of an installed package
// ("Core metadata specifications" of the Python packaging guide), from the
// file that pip leaves or the one that Debian's packages have.
func readMetadata(dir, distribution string) (version, requires string) {
	var names []string
	for _, name := range []string{"-*.dist-info/METADATA", "-*.egg-info/PKG-INFO"} {
		found, err := filepath.Glob(filepath.Join(dir, distribution+name))
		if err != nil {
			return "", ""
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return "", ""
	}
	f, err := os.Open(names[0])
	if err != nil {
		return "", ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() && lines.Text() != "" {
		if v, ok := strings.CutPrefix(lines.Text(), "Version:"); ok {
			version = strings.TrimSpace(v)
		}
		if v, ok := strings.CutPrefix(lines.Text(), "Requires-Python:"); ok {
			requires = strings.TrimSpace(v)
		}
	}
	return version, requires
}

// satisfies tells whether a Python version meets a specifier list such as
// ">=3.8, !=3.9.*" ("Version specifiers" of the Python packaging guide). What
// it can't read counts as not met.
func satisfies(version []int, specifiers string) bool {
	for spec := range strings.SplitSeq(specifiers, ",") {
		spec = strings.TrimSpace(spec)
		end := strings.IndexFunc(spec, func(r rune) bool { return r >= '0' && r <= '9' })
		if end < 0 {
			return spec == ""
		}
		operator, text := strings.TrimSpace(spec[:end]), spec[end:]
		bound := numbers(text)
		order := compareVersions(pad(version, len(bound)), bound)
		prefix := len(version) >= len(bound) && slices.Equal(version[:len(bound)], bound)
		var ok bool
		switch operator {
		case ">=":
			ok = order >= 0
		case ">":
			ok = order > 0 && !prefix
		case "<=":
			ok = order <= 0 || prefix
		case "<":
			ok = order < 0
		case "==":
			ok = prefix
		case "!=":
			ok = !prefix
		case "~=":
			ok = order >= 0 && len(bound) > 1 && slices.Equal(version[:len(bound)-1], bound[:len(bound)-1])
		}
		if !ok {
			return false
		}
	}
	return true
}

func pad(version []int, n int) []int {
	out := slices.Clone(version)
	for len(out) < n {
		out = append(out, 0)
	}
	return out
}

func (s *Set) attachPythonSDK(i *Interpreter) {
	version := numbers(i.Version)
	for _, sdk := range s.sdks() {
		if !sdk.tooOld() && sdk.fits(version) {
			i.SDK, i.SDKVersion = sdk.paths, sdk.version
			i.SDKNote = fmt.Sprintf("boto3 %s from %s", sdk.version, sdk.dir)
			return
		}
	}
	i.SDKNote = "no boto3 on this host (pip install boto3); bring it in the function's zip or a layer"
	if len(s.sdks()) == 0 {
		return
	}
	if newest := s.sdks()[0]; newest.tooOld() {
		i.SDKNote = fmt.Sprintf("boto3 %s from %s knows no AWS_ENDPOINT_URL (%s is the first that does): pip install boto3, or bring it in the function's zip or a layer",
			newest.version, newest.dir, oldestPythonSDK)
	} else {
		i.SDKNote = fmt.Sprintf("boto3 %s of this host needs Python %s; bring an older one in the function's zip or a layer", newest.version, newest.requires[0])
	}
}

// nodeSDKParts are the scopes and packages of AWS SDK v3 that a global
// installation may have side by side.
var nodeSDKParts = []string{"@aws-sdk", "@smithy", "@aws-crypto", "@aws", "aws-sdk", "tslib", "uuid", "bowser", "fast-xml-parser", "strnum"}

func (s *Set) attachNodeSDK(i *Interpreter) {
	for _, dir := range []string{
		filepath.Join(filepath.Dir(filepath.Dir(i.Path)), "lib", "node_modules"),
		s.places.system + "/usr/local/lib/node_modules", s.places.system + "/usr/lib/node_modules", s.places.system + "/usr/share/nodejs",
	} {
		if _, err := os.Stat(filepath.Join(dir, "@aws-sdk")); err != nil {
			continue
		}
		for _, part := range nodeSDKParts {
			if _, err := os.Stat(filepath.Join(dir, part)); err == nil {
				i.SDK = append(i.SDK, filepath.Join(dir, part))
			}
		}
		i.SDKNote = "@aws-sdk from " + dir
		return
	}
	i.SDKNote = "no @aws-sdk on this host (npm install -g @aws-sdk/client-dynamodb); bring it in the function's zip or a layer"
}
