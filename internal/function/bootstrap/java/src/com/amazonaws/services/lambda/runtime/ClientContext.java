package com.amazonaws.services.lambda.runtime;

import java.util.Map;

/** As in aws-lambda-java-core, whose place this takes. */
public interface ClientContext {
    Client getClient();

    Map<String, String> getCustom();

    Map<String, String> getEnvironment();
}
