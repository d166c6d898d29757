package com.amazonaws.services.lambda.runtime;

import java.util.Map;

/** For functions that were packed without aws-lambda-java-core. */
public interface ClientContext {
    Client getClient();

    Map<String, String> getCustom();

    Map<String, String> getEnvironment();
}
