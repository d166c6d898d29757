import java.io.*;
import java.util.*;
import net.minidev.json.*;
import net.minidev.json.parser.*;
import net.minidev.json.writer.JsonReader;
import com.jayway.jsonpath.*;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.*;
import org.apache.velocity.app.*;
import org.apache.velocity.app.event.*;
import org.apache.velocity.runtime.*;

/**
 * Answers each line of JSON with a line of JSON: renders a template with Apache Velocity 1.7, or evaluates a path with
 * Jayway JsonPath. Only the tests run it, to compare the engine of this repository with the real thing.
 */
public class VtlServer {
  static final JsonReader READER = new JsonReader();

  static Object parse(String s) throws Exception {
    return new JSONParser(JSONParser.MODE_PERMISSIVE).parse(s, READER.DEFAULT_ORDERED);
  }

  public static class Util {
    public String escapeJavaScript(String s) { return StringEscapeUtils.escapeJavaScript(s); }
    public Object parseJson(String s) throws Exception { return parse(s); }
    public String urlEncode(String s) throws Exception { return java.net.URLEncoder.encode(s, "UTF-8"); }
    public String urlDecode(String s) throws Exception { return java.net.URLDecoder.decode(s, "UTF-8"); }
    public String base64Encode(String s) throws Exception { return Base64.getEncoder().encodeToString(s.getBytes("UTF-8")); }
    public String base64Decode(String s) throws Exception { return new String(Base64.getDecoder().decode(s), "UTF-8"); }
  }

  public static class Input {
    private final String body;
    private final Map<String, Map<String, Object>> params;
    Input(String body, Map<String, Map<String, Object>> params) { this.body = body; this.params = params; }
    public String getBody() { return body; }
    public Object path(String p) throws Exception {
      try { return JsonPath.read(parse(body), p); } catch (PathNotFoundException e) { return null; }
    }
    public String json(String p) throws Exception {
      Object v = path(p);
      return v == null ? "\"\"" : Configuration.defaultConfiguration().jsonProvider().toJson(v);
    }
    public Map params() { return params; }
    public String params(String k) {
      for (String g : new String[] {"path", "querystring", "header"}) {
        Map<String, Object> m = params.get(g);
        if (m != null && m.containsKey(k)) return String.valueOf(m.get(k));
      }
      return "";
    }
  }

  /** API Gateway renders null and unknown references as nothing, so the oracle must too. */
  static class Quiet implements ReferenceInsertionEventHandler {
    public Object referenceInsert(String reference, Object value) { return value == null ? "" : value; }
  }

  @SuppressWarnings("unchecked")
  public static void main(String[] args) throws Exception {
    VelocityEngine engine = new VelocityEngine();
    engine.setProperty(RuntimeConstants.RUNTIME_LOG_LOGSYSTEM_CLASS, "org.apache.velocity.runtime.log.NullLogChute");
    engine.setProperty(RuntimeConstants.VM_PERM_INLINE_LOCAL, "true");
    engine.init();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
    String line;
    while ((line = in.readLine()) != null) {
      Map<String, Object> q = (Map<String, Object>) parse(line);
      JSONObject answer = new JSONObject();
      if (q.containsKey("jsonpath")) { jsonpath(q, answer); } else { render(engine, q, answer); }
      out.println(answer.toJSONString());
    }
  }

  static void jsonpath(Map<String, Object> q, JSONObject answer) {
    try {
      Object v = JsonPath.read(parse((String) q.get("body")), (String) q.get("jsonpath"));
      answer.put("out", v == null ? "null" : JSONValue.toJSONString(v, JSONStyle.LT_COMPRESS));
    } catch (PathNotFoundException e) {
      answer.put("missing", true);
    } catch (Throwable e) {
      answer.put("err", e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  @SuppressWarnings("unchecked")
  static void render(VelocityEngine engine, Map<String, Object> q, JSONObject answer) {
    try {
      VelocityContext ctx = new VelocityContext();
      Map<String, Object> vars = (Map<String, Object>) q.get("vars");
      if (vars != null) for (Map.Entry<String, Object> e : vars.entrySet()) ctx.put(e.getKey(), e.getValue());
      Map params = (Map) q.get("params");
      ctx.put("util", new Util());
      ctx.put("input", new Input((String) q.get("body"), params == null ? new LinkedHashMap() : params));
      EventCartridge quiet = new EventCartridge();
      quiet.addEventHandler(new Quiet());
      quiet.attachToContext(ctx);
      StringWriter w = new StringWriter();
      engine.evaluate(ctx, w, "t", (String) q.get("template"));
      answer.put("out", w.toString());
    } catch (Throwable e) {
      answer.put("err", e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }
}
