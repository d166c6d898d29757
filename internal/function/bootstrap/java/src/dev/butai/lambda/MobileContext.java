package dev.butai.lambda;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import java.util.LinkedHashMap;
import java.util.Map;

/** The X-Amz-Client-Context of an invocation, in the form that AWS's mobile SDKs send. */
final class MobileContext implements ClientContext, Client {
    private final Map<?, ?> json;

    MobileContext(String text) {
        Object parsed;
        try {
            parsed = Json.parse(text);
        } catch (JsonException e) {
            parsed = null; // callers may send any text
        }
        json = object(parsed);
    }

    private static Map<?, ?> object(Object value) {
        return value instanceof Map ? (Map<?, ?>) value : Map.of();
    }

    @Override
    public Client getClient() {
        return json.get("client") == null ? null : this;
    }

    @Override
    public Map<String, String> getCustom() {
        return texts("custom");
    }

    @Override
    public Map<String, String> getEnvironment() {
        return texts("env");
    }

    private Map<String, String> texts(String member) {
        if (json.get(member) == null) {
            return null;
        }
        Map<String, String> out = new LinkedHashMap<>();
        for (Map.Entry<?, ?> e : object(json.get(member)).entrySet()) {
            out.put((String) e.getKey(), text(e.getValue()));
        }
        return out;
    }

    private String client(String member) {
        return text(object(json.get("client")).get(member));
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    @Override
    public String getInstallationId() {
        return client("installation_id");
    }

    @Override
    public String getAppTitle() {
        return client("app_title");
    }

    @Override
    public String getAppVersionName() {
        return client("app_version_name");
    }

    @Override
    public String getAppVersionCode() {
        return client("app_version_code");
    }

    @Override
    public String getAppPackageName() {
        return client("app_package_name");
    }
}
