package function

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
)

// overridable are platform variables that users may set themselves ("Defined
// runtime environment variables").
var overridable = map[string]string{
	"LANG": "en_US.UTF-8",
	"TZ":   ":UTC",
}

// environment builds a function's whole environment; nothing of the server's
// own gets in. Later sources win: what users may override, the users'
// variables, and what they may not touch.
func (i *instance) environment(at places, runtime map[string]string) []string {
	env := maps.Clone(overridable)
	env["PATH"] = at.lang + "/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
	env["LD_LIBRARY_PATH"] = at.lang + "/lib:/lib64:/usr/lib64:" + at.runtime + ":" + at.runtime + "/lib:" + at.task + ":" + at.task + "/lib:" + at.opt + "/lib"
	env["AWS_XRAY_CONTEXT_MISSING"] = "LOG_ERROR"
	env["AWS_XRAY_DAEMON_ADDRESS"] = "169.254.100.1:2000"
	maps.Copy(env, i.engine.cfg.Environment)
	free := map[string]bool{"NODE_PATH": true, "PYTHONPATH": true, "PWD": true, "SHLVL": true, "LC_CTYPE": true, "GEM_HOME": true, "GEM_PATH": true, "RUBYLIB": true}
	for name, value := range runtime {
		if free[name] {
			env[name] = value
		}
	}
	for name, value := range i.spec.Environment {
		if !strings.HasPrefix(name, "_") {
			env[name] = value
		}
	}
	maps.Copy(env, i.platformVariables(at))
	for name, value := range runtime {
		if !free[name] {
			env[name] = value
		}
	}
	out := make([]string, 0, len(env))
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}

// platformVariables are the reserved ones.
func (i *instance) platformVariables(at places) map[string]string {
	env := map[string]string{
		"_HANDLER":                        i.spec.Handler,
		"AWS_REGION":                      i.spec.Region,
		"AWS_DEFAULT_REGION":              i.spec.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        i.spec.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     i.spec.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(i.spec.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  i.initType,
		"AWS_LAMBDA_LOG_GROUP_NAME":       i.spec.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      i.log.stream,
		"_AWS_XRAY_DAEMON_ADDRESS":        "169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"LAMBDA_TASK_ROOT":                at.task,
		"LAMBDA_RUNTIME_DIR":              at.runtime,
	}
	if i.spec.LogFormat == logFormatJSON {
		env["AWS_LAMBDA_LOG_FORMAT"] = logFormatJSON
		env["AWS_LAMBDA_LOG_LEVEL"] = cmp.Or(i.spec.LogLevel, "INFO")
	}
	if i.credentials.AccessKeyID != "" {
		env["AWS_ACCESS_KEY_ID"] = i.credentials.AccessKeyID
		env["AWS_SECRET_ACCESS_KEY"] = i.credentials.SecretAccessKey
		env["AWS_SESSION_TOKEN"] = i.credentials.SessionToken
	}
	return env
}
