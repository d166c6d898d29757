package dev.butai.rehearsal;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Does a little of what most functions do, so that a spare has done all of it once. */
public class Values implements RequestHandler<Values.Order, Map<String, Object>> {
    public static class Order {
        private String id;
        private int size;
        private List<String> tags = new ArrayList<>();

        public String getId() {
            return id;
        }

        public void setId(String id) {
            this.id = id;
        }

        public int getSize() {
            return size;
        }

        public void setSize(int size) {
            this.size = size;
        }

        public List<String> getTags() {
            return tags;
        }

        public void setTags(List<String> tags) {
            this.tags = tags;
        }
    }

    @Override
    public Map<String, Object> handleRequest(Order order, Context context) {
        context.getLogger().log("order " + order.getId() + " of " + order.getSize());
        System.out.println("left: " + context.getRemainingTimeInMillis() + " of " + context.getMemoryLimitInMB());
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("tags", order.getTags().stream().map(tag -> tag + "!").collect(Collectors.toList()));
        answer.put("half", order.getSize() / 2.0);
        answer.put("order", order);
        return answer;
    }

    public Map<String, Object> plain(Map<String, Object> event, Context context) {
        return Map.of("id", String.format("%s", event.get("id")), "name", context.getFunctionName());
    }
}
