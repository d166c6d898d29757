package function

// execWrapper is where functions of managed runtimes, and their extensions, put
// a program that starts the runtime in its stead ("Modifying the runtime
// environment": wrapper scripts). It gets the runtime's command line.
const execWrapper = "AWS_LAMBDA_EXEC_WRAPPER"

// wrap has the function's wrapper start its runtime, if it has one. AWS's own
// start scripts do that from a shell, whose exit status tells when it can't be
// run: 127 if it isn't there (recorded), 126 if it isn't executable.
func (s *Spec) wrap(args []string) []string {
	wrapper := s.Environment[execWrapper]
	if wrapper == "" {
		return args
	}
	return append([]string{"/bin/sh", "-c", `exec "$0" "$@"`, wrapper}, args...)
}
