package com.amazonaws.services.lambda.crac;

/** What wants to know of snapshots: the interface that org.crac finds in Lambda's Java runtimes. */
public interface Resource {
    void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

    void afterRestore(Context<? extends Resource> context) throws Exception;
}
