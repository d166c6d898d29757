package com.amazonaws.services.lambda.crac;

import java.util.ArrayList;
import java.util.List;

/** Leads to the one context there is. */
public final class Core {
    private static final All ALL = new All();

    private Core() {}

    public static Context<Resource> getGlobalContext() {
        return ALL;
    }

    /** Snapshots are the platform's business. */
    public static void checkpointRestore() {
        throw new UnsupportedOperationException();
    }

    /** Whether anything has been registered. */
    public static boolean isUsed() {
        return !ALL.resources.isEmpty();
    }

    /** Prepares the last registered first, and takes up again the first one first. */
    private static final class All extends Context<Resource> {
        private final List<Resource> resources = new ArrayList<>();

        @Override
        public synchronized void register(Resource resource) {
            resources.add(resource);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
            CheckpointException failure = new CheckpointException();
            List<Resource> all = copy();
            for (int i = all.size() - 1; i >= 0; i--) {
                try {
                    all.get(i).beforeCheckpoint(this);
                } catch (Exception e) {
                    failure.addSuppressed(e);
                }
            }
            if (failure.getSuppressed().length > 0) {
                throw failure;
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws RestoreException {
            RestoreException failure = new RestoreException();
            for (Resource resource : copy()) {
                try {
                    resource.afterRestore(this);
                } catch (Exception e) {
                    failure.addSuppressed(e);
                }
            }
            if (failure.getSuppressed().length > 0) {
                throw failure;
            }
        }

        private synchronized List<Resource> copy() {
            return new ArrayList<>(resources);
        }
    }
}
