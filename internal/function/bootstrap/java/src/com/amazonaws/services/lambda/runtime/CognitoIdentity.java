package com.amazonaws.services.lambda.runtime;

/** As in aws-lambda-java-core, whose place this takes. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
