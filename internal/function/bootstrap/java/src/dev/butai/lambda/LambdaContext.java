package dev.butai.lambda;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Implements Context and the interfaces it leads to, in whatever version the function brought
 * along. A method that this doesn't know runs its default or answers with nothing.
 */
final class LambdaContext implements InvocationHandler {
    private static Object logger; // one for all invocations

    private final Invocation invocation;
    private final Object client; // null without a client context

    private LambdaContext(Invocation invocation, Object client) {
        this.invocation = invocation;
        this.client = client;
    }

    static Object of(Invocation invocation, Class<?> context) {
        if (logger == null) {
            logger = proxy(returned(context, "getLogger"), new Logger());
        }
        Object client = null;
        if (!invocation.clientContext.isEmpty()) {
            Class<?> type = returned(context, "getClientContext");
            client = proxy(type, new ClientContext(invocation.clientContext, type));
        }
        return proxy(context, new LambdaContext(invocation, client));
    }

    private static Class<?> returned(Class<?> type, String method) {
        try {
            return type.getMethod(method).getReturnType();
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static Object proxy(Class<?> type, InvocationHandler handler) {
        return type == null || !type.isInterface() ? null : Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    @Override
    public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
        switch (method.getName()) {
            case "getAwsRequestId":
                return invocation.requestId;
            case "getLogGroupName":
                return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
            case "getLogStreamName":
                return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
            case "getFunctionName":
                return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
            case "getFunctionVersion":
                return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
            case "getInvokedFunctionArn":
                return invocation.functionArn;
            case "getRemainingTimeInMillis":
                return (int) Math.max(0, invocation.deadline - System.currentTimeMillis());
            case "getMemoryLimitInMB":
                return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
            case "getLogger":
                return logger;
            case "getClientContext":
                return client;
            case "getXrayTraceId":
                return invocation.traceId.isEmpty() ? null : invocation.traceId;
            default:
                return other(self, method, arguments);
        }
    }

    /** The methods of Object, defaults, and what only later versions of the interfaces have. */
    private static Object other(Object self, Method method, Object[] arguments) throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            switch (method.getName()) {
                case "equals":
                    return self == arguments[0];
                case "hashCode":
                    return System.identityHashCode(self);
                default:
                    return self.getClass().getName() + "@" + Integer.toHexString(System.identityHashCode(self));
            }
        }
        return method.isDefault() ? InvocationHandler.invokeDefault(self, method, arguments) : null;
    }

    /** LambdaLogger: log(String or byte[][, LogLevel]). */
    private static final class Logger implements InvocationHandler {
        @Override
        public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
            if (!method.getName().equals("log") || arguments == null) {
                return other(self, method, arguments);
            }
            String level = arguments.length > 1 && arguments[1] != null ? ((Enum<?>) arguments[1]).name() : null;
            Object message = arguments[0];
            Log.write(message instanceof byte[] ? new String((byte[]) message, StandardCharsets.UTF_8) : String.valueOf(message), level);
            return null;
        }
    }

    /** ClientContext and, in it, Client, over the JSON that AWS's mobile clients send. */
    private static final class ClientContext implements InvocationHandler {
        private final Map<?, ?> json;
        private final Object client;

        ClientContext(String text, Class<?> type) {
            Map<?, ?> parsed;
            try {
                parsed = (Map<?, ?>) Json.parse(text);
            } catch (JsonException | ClassCastException e) {
                parsed = Map.of();
            }
            json = parsed;
            Class<?> clientType = type == null ? null : returned(type, "getClient");
            client = json.get("client") instanceof Map ? proxy(clientType, new Client((Map<?, ?>) json.get("client"))) : null;
        }

        @Override
        public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
            switch (method.getName()) {
                case "getClient":
                    return client;
                case "getCustom":
                    return texts(json.get("custom"));
                case "getEnvironment":
                    return texts(json.get("env"));
                default:
                    return other(self, method, arguments);
            }
        }

        private static Map<String, String> texts(Object value) {
            if (!(value instanceof Map)) {
                return null;
            }
            Map<String, String> out = new LinkedHashMap<>();
            for (Map.Entry<?, ?> e : ((Map<?, ?>) value).entrySet()) {
                out.put((String) e.getKey(), e.getValue() == null ? null : e.getValue().toString());
            }
            return out;
        }
    }

    private static final class Client implements InvocationHandler {
        private final Map<?, ?> json;

        Client(Map<?, ?> json) {
            this.json = json;
        }

        @Override
        public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
            switch (method.getName()) {
                case "getInstallationId":
                    return json.get("installation_id");
                case "getAppTitle":
                    return json.get("app_title");
                case "getAppVersionName":
                    return json.get("app_version_name");
                case "getAppVersionCode":
                    return json.get("app_version_code");
                case "getAppPackageName":
                    return json.get("app_package_name");
                default:
                    return other(self, method, arguments);
            }
        }
    }
}
