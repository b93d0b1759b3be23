package drydock.plsql;

import drydock.plsql.grammar.PlSqlParser;
import java.util.ArrayList;
import java.util.List;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/**
 * IF EXISTS and IF NOT EXISTS, which 23ai takes after the kind of nearly every object. They are taken out here, so that the grammar
 * does not need them at a hundred places.
 *
 * @param words the statement without them, as copies that are numbered from 0
 * @param said {@code exists}, {@code not_exists} or null
 */
record Existence(List<Token> words, String said) {
    /** The longest kind of an object: MATERIALIZED VIEW LOG, with what may stand before it. */
    private static final int FARTHEST = 12;

    static Existence of(List<Token> words) {
        int from = -1;
        int length = 0;
        int first = words.get(0).getType();
        if (first == PlSqlParser.CREATE || first == PlSqlParser.ALTER || first == PlSqlParser.DROP) {
            for (int i = 1; i < Math.min(words.size() - 2, FARTHEST) && from < 0; i++) {
                if (words.get(i).getType() == PlSqlParser.LEFT_PAREN) break;
                if (words.get(i).getType() != PlSqlParser.IF) continue;
                boolean not = words.get(i + 1).getType() == PlSqlParser.NOT;
                if (words.get(not ? i + 2 : i + 1).getType() != PlSqlParser.EXISTS) continue;
                from = i;
                length = not ? 3 : 2;
            }
        }
        List<Token> kept = new ArrayList<>(words.size());
        for (int i = 0; i < words.size(); i++) {
            if (i >= from && i < from + length) continue;
            CommonToken copy = new CommonToken(words.get(i));
            copy.setTokenIndex(kept.size());
            kept.add(copy);
        }
        return new Existence(kept, length == 0 ? null : length == 3 ? "not_exists" : "exists");
    }
}
